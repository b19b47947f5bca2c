CREATE TABLE public.facts (
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    number character varying NOT NULL,
    kind character varying NOT NULL,
    unit character varying,
    ground character varying NOT NULL,
    stage character varying NOT NULL,
    outcome character varying,
    channel character varying NOT NULL,
    anonymous boolean NOT NULL,
    urgent boolean NOT NULL,
    score smallint,
    handler uuid,
    filed_at timestamp with time zone NOT NULL,
    day date NOT NULL,
    expected_on date,
    reported_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_sequence integer
);
CREATE TABLE public.figures_key (
    key bytea NOT NULL
);
CREATE TABLE public.grounds (
    code character varying NOT NULL
);
CREATE TABLE public.notifications (
    event_id uuid NOT NULL,
    case_id uuid,
    template character varying NOT NULL,
    channel character varying NOT NULL,
    delivered boolean NOT NULL,
    reason character varying,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.public_figures (
    measure character varying NOT NULL,
    dimension character varying NOT NULL,
    key character varying NOT NULL,
    since date NOT NULL,
    until date NOT NULL,
    month character varying NOT NULL,
    value integer NOT NULL
);
CREATE TABLE public.releases (
    until date NOT NULL,
    released_at timestamp with time zone NOT NULL
);
CREATE TABLE public.transitions (
    event_id uuid NOT NULL,
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    event character varying NOT NULL,
    stage character varying NOT NULL,
    previous_stage character varying,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.units (
    code character varying NOT NULL,
    parent character varying,
    version integer NOT NULL
);
CREATE TABLE public.visits (
    visit_id uuid NOT NULL,
    case_id uuid NOT NULL,
    asked_on date,
    asked_month character varying,
    sequence integer NOT NULL,
    ended character varying,
    ended_on date,
    ended_month character varying
);
INSERT INTO public.figures_key VALUES ('\x3eca63a22179459ea3c4e1f66339167e1550b1f8270a462fa1fd9d91975f0dea');
ALTER TABLE ONLY public.facts ADD CONSTRAINT facts_pkey PRIMARY KEY (case_id);
ALTER TABLE ONLY public.grounds ADD CONSTRAINT grounds_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.notifications ADD CONSTRAINT notifications_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.public_figures ADD CONSTRAINT public_figures_pkey PRIMARY KEY (measure, dimension, key, since);
ALTER TABLE ONLY public.releases ADD CONSTRAINT releases_pkey PRIMARY KEY (until);
ALTER TABLE ONLY public.transitions ADD CONSTRAINT transitions_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.units ADD CONSTRAINT units_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (visit_id);
CREATE INDEX facts_dimensions ON public.facts USING btree (day, unit, ground, kind, stage);
CREATE INDEX transitions_of_case ON public.transitions USING btree (case_id, sequence);
CREATE INDEX visits_asked ON public.visits USING btree (asked_on);
CREATE INDEX visits_ended ON public.visits USING btree (ended_on);
