CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE FUNCTION public.timeline_only_grows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND current_setting('peygir.erasing', true) = 'on' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the timeline only grows' USING ERRCODE = 'restrict_violation';
        END $$;
CREATE FUNCTION public.timeline_only_loses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF to_jsonb(NEW) - 'details' - 'actor_id' = to_jsonb(OLD) - 'details' - 'actor_id'
                AND NEW.details <@ OLD.details
                AND (NEW.actor_id IS NULL OR NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a line of the timeline is never written anew' USING ERRCODE = 'restrict_violation';
        END $$;
CREATE TABLE public.attachments (
    case_id uuid NOT NULL,
    media_id character varying NOT NULL,
    "position" integer NOT NULL,
    from_office boolean NOT NULL,
    question_id uuid,
    refusal_reported boolean DEFAULT false NOT NULL
);
CREATE TABLE public.case_numbers (
    year smallint NOT NULL,
    last bigint NOT NULL
);
CREATE TABLE public.cases (
    case_id uuid NOT NULL,
    number character varying NOT NULL,
    code_hash character varying(64) NOT NULL,
    kind character varying NOT NULL,
    unit character varying,
    unit_asked character varying NOT NULL,
    unit_name_fa character varying,
    unit_name_en character varying,
    ground character varying NOT NULL,
    answers jsonb NOT NULL,
    text text NOT NULL,
    search text NOT NULL,
    happened_on character varying,
    place jsonb,
    reference character varying,
    people jsonb NOT NULL,
    visit_wanted boolean NOT NULL,
    channel character varying NOT NULL,
    language character varying NOT NULL,
    anonymous boolean NOT NULL,
    citizen_id uuid,
    group_members integer,
    group_common text,
    consent jsonb,
    filed_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    stage character varying NOT NULL,
    urgent boolean NOT NULL,
    due_on date,
    paused_on date,
    handler uuid,
    previous_handlers uuid[] NOT NULL,
    excluded_staff uuid[] NOT NULL,
    approver uuid,
    version integer NOT NULL,
    history_hash character varying(64) NOT NULL,
    proposal jsonb,
    checklist jsonb DEFAULT '[]'::jsonb NOT NULL,
    links jsonb DEFAULT '[]'::jsonb NOT NULL,
    due_from date,
    due_days integer,
    pauses jsonb DEFAULT '[]'::jsonb NOT NULL,
    pending_question jsonb,
    first_due_on date,
    refused_on date,
    alarms_raised jsonb DEFAULT '[]'::jsonb NOT NULL,
    next_check_on date,
    calendar integer DEFAULT 0 NOT NULL,
    names jsonb DEFAULT '{}'::jsonb NOT NULL,
    outcome character varying,
    reasons text,
    decided_at timestamp with time zone,
    final boolean NOT NULL,
    objection_until date,
    root_causes jsonb NOT NULL,
    recommendations jsonb NOT NULL,
    refusal_reason character varying,
    refusal_explanation text,
    refusal_address text,
    merged_into uuid,
    score smallint,
    ended_at timestamp with time zone,
    identity_erased_at timestamp with time zone,
    evidence_erased_at timestamp with time zone,
    texts_erased_at timestamp with time zone
);
CREATE TABLE public.catalogue (
    one boolean NOT NULL,
    version integer NOT NULL,
    holidays jsonb NOT NULL,
    rules jsonb DEFAULT '{}'::jsonb NOT NULL,
    calendar integer DEFAULT 1 NOT NULL
);
CREATE TABLE public.checkpoints (
    name character varying NOT NULL,
    document text NOT NULL,
    made_at timestamp with time zone NOT NULL
);
CREATE TABLE public.commands (
    actor character varying NOT NULL,
    key character varying NOT NULL,
    command_hash character varying(64) NOT NULL,
    done_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.export_chunks (
    export_id uuid NOT NULL,
    part character varying NOT NULL,
    place integer NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE public.exports (
    export_id uuid NOT NULL,
    owner uuid NOT NULL,
    roles jsonb NOT NULL,
    unit character varying,
    filters jsonb NOT NULL,
    search uuid,
    kept jsonb,
    format character varying NOT NULL,
    language character varying NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    state character varying NOT NULL,
    rights jsonb,
    rows_total integer,
    rows_done integer NOT NULL,
    pages integer NOT NULL,
    place character varying,
    read boolean NOT NULL,
    size bigint,
    chunks integer,
    error character varying,
    finished_at timestamp with time zone,
    expires_at timestamp with time zone,
    worker uuid,
    leased_until timestamp with time zone,
    tries integer NOT NULL
);
CREATE TABLE public.grounds (
    code character varying NOT NULL,
    kinds jsonb NOT NULL
);
CREATE TABLE public.identity_requests (
    request_id uuid NOT NULL,
    case_id uuid NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    minutes integer NOT NULL,
    state character varying NOT NULL,
    decided_by uuid,
    decided_at timestamp with time zone,
    answer text,
    open_until timestamp with time zone
);
CREATE TABLE public.letters (
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    year smallint NOT NULL,
    serial integer NOT NULL,
    approved boolean NOT NULL
);
CREATE TABLE public.media_states (
    media_id character varying NOT NULL,
    state character varying NOT NULL,
    media_type character varying,
    size bigint,
    variants jsonb NOT NULL,
    reason character varying,
    notes jsonb,
    reported_at timestamp with time zone NOT NULL
);
CREATE TABLE public.pending_outcomes (
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    outcome character varying NOT NULL,
    final boolean NOT NULL
);
CREATE TABLE public.questions (
    question_id uuid NOT NULL,
    case_id uuid NOT NULL,
    unit character varying,
    text text NOT NULL,
    media jsonb NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    answer text,
    answered_at timestamp with time zone,
    lapsed_at timestamp with time zone
);
CREATE TABLE public.recommendations (
    recommendation_id uuid NOT NULL,
    case_id uuid NOT NULL,
    unit character varying NOT NULL,
    text text NOT NULL,
    due_on date NOT NULL,
    state character varying NOT NULL,
    reason text,
    escalated boolean NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    reported_at timestamp with time zone,
    settled_at timestamp with time zone
);
CREATE TABLE public.reminders (
    reminder_id uuid NOT NULL,
    case_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    on_day date NOT NULL,
    text text NOT NULL,
    reminded boolean DEFAULT false NOT NULL
);
CREATE TABLE public.rooms (
    room_id uuid NOT NULL,
    name_fa text NOT NULL,
    name_en text NOT NULL,
    active boolean NOT NULL
);
CREATE TABLE public.searches (
    search_id uuid NOT NULL,
    owner uuid NOT NULL,
    name character varying NOT NULL,
    filters jsonb NOT NULL,
    sort character varying NOT NULL,
    shared_with character varying NOT NULL,
    version integer NOT NULL,
    made_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.skills (
    staff_id uuid NOT NULL,
    grounds jsonb NOT NULL
);
CREATE TABLE public.staff (
    staff_id uuid NOT NULL,
    version integer NOT NULL,
    roles jsonb NOT NULL,
    unit character varying,
    active boolean NOT NULL
);
CREATE TABLE public.timeline (
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    entry character varying NOT NULL,
    actor_kind character varying NOT NULL,
    actor_id character varying,
    at timestamp with time zone NOT NULL,
    stage character varying NOT NULL,
    details jsonb NOT NULL,
    previous_hash character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.units (
    code character varying NOT NULL,
    parent character varying,
    name_fa character varying NOT NULL,
    name_en character varying NOT NULL,
    active boolean NOT NULL
);
CREATE TABLE public.visit_slots (
    slot_id uuid NOT NULL,
    room_id uuid NOT NULL,
    inspector uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    capacity integer NOT NULL,
    closed boolean NOT NULL,
    CONSTRAINT visit_slots_capacity_check CHECK ((capacity > 0)),
    CONSTRAINT visit_slots_check CHECK ((starts_at < ends_at))
);
CREATE TABLE public.visits (
    visit_id uuid NOT NULL,
    case_id uuid NOT NULL,
    state text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    slot_id uuid,
    offered uuid[] NOT NULL,
    remind_day_at timestamp with time zone,
    remind_hours_at timestamp with time zone
);
CREATE TABLE public.withheld (
    case_id uuid NOT NULL,
    media_id character varying NOT NULL,
    reason character varying NOT NULL
);
ALTER TABLE ONLY public.attachments ADD CONSTRAINT attachments_pkey PRIMARY KEY (case_id, media_id);
ALTER TABLE ONLY public.case_numbers ADD CONSTRAINT case_numbers_pkey PRIMARY KEY (year);
ALTER TABLE ONLY public.cases ADD CONSTRAINT cases_code_hash_key UNIQUE (code_hash);
ALTER TABLE ONLY public.cases ADD CONSTRAINT cases_number_key UNIQUE (number);
ALTER TABLE ONLY public.cases ADD CONSTRAINT cases_pkey PRIMARY KEY (case_id);
ALTER TABLE ONLY public.catalogue ADD CONSTRAINT catalogue_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.checkpoints ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.commands ADD CONSTRAINT commands_pkey PRIMARY KEY (actor, key);
ALTER TABLE ONLY public.export_chunks ADD CONSTRAINT export_chunks_pkey PRIMARY KEY (export_id, part, place);
ALTER TABLE ONLY public.exports ADD CONSTRAINT exports_pkey PRIMARY KEY (export_id);
ALTER TABLE ONLY public.grounds ADD CONSTRAINT grounds_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.identity_requests ADD CONSTRAINT identity_requests_pkey PRIMARY KEY (request_id);
ALTER TABLE ONLY public.letters ADD CONSTRAINT letters_number UNIQUE (year, serial);
ALTER TABLE ONLY public.letters ADD CONSTRAINT letters_pkey PRIMARY KEY (case_id, sequence);
ALTER TABLE ONLY public.media_states ADD CONSTRAINT media_states_pkey PRIMARY KEY (media_id);
ALTER TABLE ONLY public.visit_slots ADD CONSTRAINT one_slot_of_a_room EXCLUDE USING gist (room_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ((NOT closed));
ALTER TABLE ONLY public.visit_slots ADD CONSTRAINT one_slot_of_an_inspector EXCLUDE USING gist (inspector WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ((NOT closed));
ALTER TABLE ONLY public.pending_outcomes ADD CONSTRAINT pending_outcomes_pkey PRIMARY KEY (case_id, sequence);
ALTER TABLE ONLY public.questions ADD CONSTRAINT questions_pkey PRIMARY KEY (question_id);
ALTER TABLE ONLY public.recommendations ADD CONSTRAINT recommendations_pkey PRIMARY KEY (recommendation_id);
ALTER TABLE ONLY public.reminders ADD CONSTRAINT reminders_pkey PRIMARY KEY (reminder_id);
ALTER TABLE ONLY public.rooms ADD CONSTRAINT rooms_pkey PRIMARY KEY (room_id);
ALTER TABLE ONLY public.searches ADD CONSTRAINT searches_pkey PRIMARY KEY (search_id);
ALTER TABLE ONLY public.skills ADD CONSTRAINT skills_pkey PRIMARY KEY (staff_id);
ALTER TABLE ONLY public.staff ADD CONSTRAINT staff_pkey PRIMARY KEY (staff_id);
ALTER TABLE ONLY public.timeline ADD CONSTRAINT timeline_pkey PRIMARY KEY (case_id, sequence);
ALTER TABLE ONLY public.units ADD CONSTRAINT units_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.visit_slots ADD CONSTRAINT visit_slots_pkey PRIMARY KEY (slot_id);
ALTER TABLE ONLY public.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (visit_id);
ALTER TABLE ONLY public.withheld ADD CONSTRAINT withheld_pkey PRIMARY KEY (case_id, media_id);
CREATE INDEX attachments_media ON public.attachments USING btree (media_id);
CREATE INDEX cases_calendar ON public.cases USING btree (calendar) WHERE ((stage)::text <> ALL ((ARRAY['closed'::character varying, 'merged'::character varying, 'withdrawn'::character varying])::text[]));
CREATE INDEX cases_citizen ON public.cases USING btree (citizen_id, filed_at, case_id) WHERE (citizen_id IS NOT NULL);
CREATE INDEX cases_decided ON public.cases USING btree (decided_at, case_id) WHERE (decided_at IS NOT NULL);
CREATE INDEX cases_end ON public.cases USING btree (case_id) WHERE ((ended_at IS NULL) AND ((stage)::text = ANY ((ARRAY['closed'::character varying, 'merged'::character varying, 'withdrawn'::character varying])::text[])));
CREATE INDEX cases_evidence_kept ON public.cases USING btree (kind, ended_at) WHERE (evidence_erased_at IS NULL);
CREATE INDEX cases_expected ON public.cases USING btree (COALESCE(
CASE
    WHEN ((paused_on IS NULL) AND ((stage)::text = ANY ((ARRAY['registered'::character varying, 'screening'::character varying, 'investigating'::character varying, 'awaiting_citizen'::character varying, 'awaiting_unit'::character varying, 'review'::character varying])::text[]))) THEN due_on
    ELSE NULL::date
END, '9999-12-31'::date), case_id);
CREATE INDEX cases_expected_open ON public.cases USING btree (COALESCE(
CASE
    WHEN ((paused_on IS NULL) AND ((stage)::text = ANY ((ARRAY['registered'::character varying, 'screening'::character varying, 'investigating'::character varying, 'awaiting_citizen'::character varying, 'awaiting_unit'::character varying, 'review'::character varying])::text[]))) THEN due_on
    ELSE NULL::date
END, '9999-12-31'::date), case_id) WHERE ((stage)::text = ANY ((ARRAY['registered'::character varying, 'screening'::character varying, 'investigating'::character varying, 'awaiting_citizen'::character varying, 'awaiting_unit'::character varying, 'review'::character varying])::text[]));
CREATE INDEX cases_filed ON public.cases USING btree (filed_at, case_id);
CREATE INDEX cases_ground_unit ON public.cases USING btree (ground, filed_at, case_id) INCLUDE (unit);
CREATE INDEX cases_handler ON public.cases USING btree (handler, filed_at, case_id) WHERE (handler IS NOT NULL);
CREATE INDEX cases_identity_kept ON public.cases USING btree (kind, ended_at) WHERE (identity_erased_at IS NULL);
CREATE INDEX cases_in_hand ON public.cases USING btree (handler) WHERE ((handler IS NOT NULL) AND ((stage)::text <> ALL ((ARRAY['closed'::character varying, 'merged'::character varying, 'withdrawn'::character varying, 'decided'::character varying, 'refused'::character varying])::text[])));
CREATE INDEX cases_merged ON public.cases USING btree (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX cases_next_check ON public.cases USING btree (next_check_on) WHERE (next_check_on IS NOT NULL);
CREATE INDEX cases_outcome_unit ON public.cases USING btree (outcome, filed_at, case_id) INCLUDE (unit) WHERE (outcome IS NOT NULL);
CREATE INDEX cases_search ON public.cases USING gin (search public.gin_trgm_ops);
CREATE INDEX cases_stage_unit ON public.cases USING btree (stage, filed_at, case_id) INCLUDE (unit);
CREATE INDEX cases_texts_kept ON public.cases USING btree (kind, ended_at) WHERE (texts_erased_at IS NULL);
CREATE INDEX cases_unit ON public.cases USING btree (unit, filed_at, case_id);
CREATE INDEX cases_urgent ON public.cases USING btree (filed_at, case_id) WHERE urgent;
CREATE INDEX exports_expire ON public.exports USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX exports_open ON public.exports USING btree (asked_at) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'running'::character varying])::text[]));
CREATE INDEX exports_owner ON public.exports USING btree (owner, asked_at);
CREATE INDEX identity_requests_case ON public.identity_requests USING btree (case_id, asked_by);
CREATE INDEX identity_requests_newest ON public.identity_requests USING btree (asked_at, request_id);
CREATE INDEX identity_requests_waiting ON public.identity_requests USING btree (asked_at, request_id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX ix_commands_done_at ON public.commands USING btree (done_at);
CREATE INDEX ix_questions_case_id ON public.questions USING btree (case_id);
CREATE INDEX ix_recommendations_case_id ON public.recommendations USING btree (case_id);
CREATE INDEX ix_reminders_case_id ON public.reminders USING btree (case_id);
CREATE INDEX questions_unit ON public.questions USING btree (unit, asked_at) WHERE (unit IS NOT NULL);
CREATE INDEX recommendations_due ON public.recommendations USING btree (due_on) WHERE (((state)::text = 'open'::text) AND (NOT escalated));
CREATE INDEX recommendations_unit ON public.recommendations USING btree (unit, due_on);
CREATE INDEX reminders_due ON public.reminders USING btree (on_day) WHERE (NOT reminded);
CREATE INDEX searches_owner ON public.searches USING btree (owner, made_at, search_id);
CREATE INDEX searches_shared ON public.searches USING btree (shared_with, made_at) WHERE ((shared_with)::text <> 'nobody'::text);
CREATE INDEX visit_slots_inspector ON public.visit_slots USING btree (inspector, starts_at);
CREATE INDEX visit_slots_starts ON public.visit_slots USING btree (starts_at);
CREATE INDEX visits_case ON public.visits USING btree (case_id, asked_at);
CREATE UNIQUE INDEX visits_open ON public.visits USING btree (case_id) WHERE (state = ANY (ARRAY['asked'::text, 'booked'::text, 'moved'::text]));
CREATE INDEX visits_remind_day ON public.visits USING btree (remind_day_at) WHERE (remind_day_at IS NOT NULL);
CREATE INDEX visits_remind_hours ON public.visits USING btree (remind_hours_at) WHERE (remind_hours_at IS NOT NULL);
CREATE INDEX visits_slot ON public.visits USING btree (slot_id) WHERE (slot_id IS NOT NULL);
CREATE TRIGGER timeline_is_never_changed BEFORE DELETE OR UPDATE ON public.timeline FOR EACH STATEMENT EXECUTE FUNCTION public.timeline_only_grows();
CREATE TRIGGER timeline_is_never_emptied BEFORE TRUNCATE ON public.timeline FOR EACH STATEMENT EXECUTE FUNCTION public.timeline_only_grows();
CREATE TRIGGER timeline_is_never_written_anew BEFORE UPDATE ON public.timeline FOR EACH ROW EXECUTE FUNCTION public.timeline_only_loses();
ALTER TABLE ONLY public.attachments ADD CONSTRAINT attachments_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.export_chunks ADD CONSTRAINT export_chunks_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.exports(export_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.letters ADD CONSTRAINT letters_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.pending_outcomes ADD CONSTRAINT pending_outcomes_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.questions ADD CONSTRAINT questions_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.recommendations ADD CONSTRAINT recommendations_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.reminders ADD CONSTRAINT reminders_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.timeline ADD CONSTRAINT timeline_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.visit_slots ADD CONSTRAINT visit_slots_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.rooms(room_id);
ALTER TABLE ONLY public.visits ADD CONSTRAINT visits_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(case_id);
ALTER TABLE ONLY public.visits ADD CONSTRAINT visits_slot_id_fkey FOREIGN KEY (slot_id) REFERENCES public.visit_slots(slot_id);
