CREATE TABLE public.claims (
    upload_id character varying NOT NULL,
    case_id uuid NOT NULL,
    from_office boolean NOT NULL,
    owner character varying(64),
    named boolean NOT NULL,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.erasures (
    case_id uuid NOT NULL,
    rule character varying NOT NULL,
    media integer NOT NULL,
    erased_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.files (
    upload_id character varying NOT NULL,
    variant character varying NOT NULL,
    key character varying NOT NULL,
    content_type character varying NOT NULL,
    size bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    width integer,
    height integer
);
CREATE TABLE public.upload_parts (
    upload_id character varying NOT NULL,
    "position" bigint NOT NULL,
    length bigint NOT NULL,
    key character varying NOT NULL
);
CREATE TABLE public.uploads (
    upload_id character varying NOT NULL,
    size bigint NOT NULL,
    received bigint NOT NULL,
    state character varying NOT NULL,
    file_name character varying,
    declared_type character varying,
    case_id uuid,
    address_key character varying(64),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    swept_at timestamp with time zone,
    reason character varying,
    content_type character varying,
    kind character varying,
    sha256 character varying(64),
    scanned boolean,
    seconds double precision,
    pages integer,
    removed_parts character varying[],
    notes character varying[]
);
ALTER TABLE ONLY public.claims ADD CONSTRAINT claims_pkey PRIMARY KEY (upload_id, case_id);
ALTER TABLE ONLY public.erasures ADD CONSTRAINT erasures_pkey PRIMARY KEY (case_id);
ALTER TABLE ONLY public.files ADD CONSTRAINT files_pkey PRIMARY KEY (upload_id, variant);
ALTER TABLE ONLY public.upload_parts ADD CONSTRAINT upload_parts_pkey PRIMARY KEY (upload_id, "position");
ALTER TABLE ONLY public.uploads ADD CONSTRAINT uploads_pkey PRIMARY KEY (upload_id);
CREATE INDEX ix_claims_case_id ON public.claims USING btree (case_id);
CREATE INDEX uploads_reserved ON public.uploads USING btree (address_key) INCLUDE (size, received, state, expires_at) WHERE (((state)::text = ANY ((ARRAY['open'::character varying, 'processing'::character varying])::text[])) OR (((state)::text = 'accepted'::text) AND (case_id IS NULL)));
CREATE INDEX uploads_to_expire ON public.uploads USING btree (expires_at) WHERE ((settled_at IS NULL) OR (case_id IS NULL));
CREATE INDEX uploads_to_sweep ON public.uploads USING btree (settled_at) WHERE (swept_at IS NULL);
ALTER TABLE ONLY public.claims ADD CONSTRAINT claims_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES public.uploads(upload_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.files ADD CONSTRAINT files_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES public.uploads(upload_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.upload_parts ADD CONSTRAINT upload_parts_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES public.uploads(upload_id) ON DELETE CASCADE;
