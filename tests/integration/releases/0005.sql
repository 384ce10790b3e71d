-- A database of the release whose newest revision is 0005, as `pg_dump --inserts --no-owner --no-privileges` of
-- PostgreSQL 15 writes it, without comments: accounts of all roles and states, sessions, audit events of all outcomes
-- and throttled attempts, all made by calls of an earlier revision, 0004, with the settings of the tests, and migrated.
-- Chief's session has the secret A4jXi2V1ViTmM9lnKL1mUnLdAzzWBKhe3Ca_AWqqcvU; the passwords are those of the tests.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.attempts (
    key text NOT NULL COLLATE pg_catalog."C",
    count integer NOT NULL,
    next_at timestamp with time zone NOT NULL,
    forget_at timestamp with time zone NOT NULL
);
CREATE TABLE public.audit_events (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    actor text,
    target text,
    ip text,
    request_id text,
    subject_kind text,
    subject_id text,
    subject_label text
);
CREATE TABLE public.sessions (
    secret_hash bytea NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    idle_expires_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ip text,
    user_agent text
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    username text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL,
    is_active boolean NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    must_change_password boolean NOT NULL,
    CONSTRAINT ck_users_role_is_known CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text, 'super_admin'::text]))),
    CONSTRAINT ck_users_username_is_lower_case CHECK ((username = lower(username)))
);
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.attempts VALUES ('sign-up:127.0.0.1', 3, '2026-03-02 08:00:28+00', '2026-03-02 09:00:28+00');
INSERT INTO public.attempts VALUES ('password:127.0.0.1', 8, '2026-03-02 08:01:00+00', '2026-03-02 09:01:00+00');
INSERT INTO public.attempts VALUES ('password:frieda:127.0.0.1', 8, '2026-03-02 08:01:08+00', '2026-03-02 09:01:00+00');
INSERT INTO public.audit_events VALUES ('01a21c40-47c4-7b03-a52b-571a382b4c7d', '2026-03-02 08:00:05+00', 'log_in', 'succeeded', 'chief', 'chief', '127.0.0.1', '01a21c40-473b-76e2-a64e-d6f989039b40', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-480b-71f6-ad10-803b682902a0', '2026-03-02 08:00:08+00', 'create_user', 'succeeded', 'chief', 'anna.admin', '127.0.0.1', '01a21c40-47da-7af9-b08c-7ef00d4024c0', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4831-7d33-950b-c01e38a68061', '2026-03-02 08:00:12+00', 'log_in', 'succeeded', 'anna.admin', 'anna.admin', '127.0.0.1', '01a21c40-480f-74be-9394-5857d379f6cc', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4882-7dba-b08f-ea0a32fa90c5', '2026-03-02 08:00:18+00', 'change_password', 'succeeded', 'anna.admin', 'anna.admin', '127.0.0.1', '01a21c40-483c-7352-b9b6-c6b63db74421', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-48a9-703b-ae63-3b229405db82', '2026-03-02 08:00:21+00', 'create_user', 'succeeded', 'chief', 'gustav', '127.0.0.1', '01a21c40-4886-7d14-a42e-9868e0ca08ea', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-48d7-77a2-8408-1019d74d46bc', '2026-03-02 08:00:24+00', 'sign_up', 'succeeded', 'ursula', 'ursula', '127.0.0.1', '01a21c40-48b0-75e2-9cbb-b59e1ab361b4', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4900-7959-ac2a-62d5c539f761', '2026-03-02 08:00:27+00', 'sign_up', 'succeeded', 'walter', 'walter', '127.0.0.1', '01a21c40-48dc-727a-8118-696f28e321bf', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4921-7bf7-84fb-f031838f5f59', '2026-03-02 08:00:30+00', 'sign_up', 'succeeded', 'frieda', 'frieda', '127.0.0.1', '01a21c40-4905-7b83-afe2-a927fd5b3973', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-492f-713c-a50b-024ca9b0a0dd', '2026-03-02 08:00:33+00', 'grant_admin', 'succeeded', 'chief', 'ursula', '127.0.0.1', '01a21c40-4925-7edf-bcba-4e7a234dd146', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4950-7039-b8bb-27628859d0d7', '2026-03-02 08:00:36+00', 'inactivate_user', 'succeeded', 'anna.admin', 'walter', '127.0.0.1', '01a21c40-4936-7591-a676-48810a8c47c7', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-498d-7cf8-9b97-cf00f3cf310d', '2026-03-02 08:00:40+00', 'log_in', 'succeeded', 'frieda', 'frieda', '127.0.0.1', '01a21c40-4965-747e-af41-6acb72161997', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-499f-7499-8eaf-9df30f30ccf9', '2026-03-02 08:00:43+00', 'grant_admin', 'refused', 'frieda', 'frieda', '127.0.0.1', '01a21c40-499b-7555-8136-88f51873ec39', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-49c5-77a7-a3fe-336391add1d2', '2026-03-02 08:00:45+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-49a9-7ebf-aa3f-74d91fd0a00c', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-49dd-75b7-951d-c350f0232d93', '2026-03-02 08:00:47+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-49c7-7f5e-9f69-25f23a0a0675', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-49fe-75aa-aae2-50bdc93df1bd', '2026-03-02 08:00:49+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-49e5-7a0d-8df4-27a1a8c016a3', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4a1f-7660-a073-913a7650c01e', '2026-03-02 08:00:51+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-4a01-7f5b-aee1-01f6e903a435', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4a38-74e6-b25c-63e7088597d1', '2026-03-02 08:00:53+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-4a22-7f9a-9524-b3042008003f', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4a4c-7586-b501-d827dfd109c8', '2026-03-02 08:00:55+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-4a3b-7ca9-8eeb-9650e9bb3a7a', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4a66-7a6c-b219-cb3707d9c892', '2026-03-02 08:00:57+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-4a4e-74d0-b7c1-05c6ec81571c', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4a98-73ef-aa69-417a6c8a839f', '2026-03-02 08:01:01+00', 'log_in', 'failed', NULL, 'frieda', '127.0.0.1', '01a21c40-4a82-71e1-905c-a0118191081c', NULL, NULL, NULL);
INSERT INTO public.audit_events VALUES ('01a21c40-4aba-72cd-9b20-689d5ea4d461', '2026-03-02 08:01:04+00', 'log_in', 'throttled', NULL, NULL, '127.0.0.1', NULL, 'attempts', '127.0.0.1', '4 attempts');
INSERT INTO public.sessions VALUES ('\xc77ba79074939a650020a91efa2fd997c9325d7511c6e11cbf81a3a155955869', '01a21c40-4792-793a-8852-1a18547e5640', '01a21c40-46f8-75ff-94f4-4472e1d4d0b2', '2026-03-02 08:00:04+00', '2026-03-02 08:00:04+00', '2026-03-02 08:30:04+00', '2026-03-02 20:00:04+00', '127.0.0.1', 'python-httpx/0.28.1');
INSERT INTO public.sessions VALUES ('\xdf1ff0d807c60268800713788abe5d01fd304c33684ae60209a384235a9f9e76', '01a21c40-4821-76b8-be90-35ec02dfe77c', '01a21c40-4806-79d7-ba75-f4d23735f5b4', '2026-03-02 08:00:11+00', '2026-03-02 08:00:11+00', '2026-03-02 08:30:11+00', '2026-03-02 20:00:11+00', '127.0.0.1', 'python-httpx/0.28.1');
INSERT INTO public.sessions VALUES ('\xd0d2693547e7a064013515c2f20f60507fe970c9ba71c776422e54a6cec2162d', '01a21c40-4979-7eaf-a719-03f1357cc2ab', '01a21c40-491f-7587-8985-988af47f38bf', '2026-03-02 08:00:39+00', '2026-03-02 08:00:39+00', '2026-03-02 08:30:39+00', '2026-03-02 20:00:39+00', '127.0.0.1', 'python-httpx/0.28.1');
INSERT INTO public.users VALUES ('01a21c40-46f8-75ff-94f4-4472e1d4d0b2', 'chief', 'super_admin', true, 'v1$7b9ac2d7acfbbba4$$2b$04$PCPRAiLwzonontNOGii0UuEWIBPDEudPqRR9E2ZmIHBvsSLK3V2ga', '2026-03-02 08:00:01+00', '2026-03-02 08:00:01+00', false);
INSERT INTO public.users VALUES ('01a21c40-4806-79d7-ba75-f4d23735f5b4', 'anna.admin', 'admin', true, 'v1$7b9ac2d7acfbbba4$$2b$04$tCI.VAmkjxuu0sR.VjzKn.8rAzhx33HaakDGjKe66iMXqcOiQ4k12', '2026-03-02 08:00:07+00', '2026-03-02 08:00:16+00', false);
INSERT INTO public.users VALUES ('01a21c40-48a4-7d24-8f7e-2a32b838984b', 'gustav', 'user', true, 'v1$7b9ac2d7acfbbba4$$2b$04$TCMMHDdUUWVJ3l6EVPyO5.XPqqkR0u5zaKUa/sQ4jKHmlht4NKpQK', '2026-03-02 08:00:20+00', '2026-03-02 08:00:20+00', true);
INSERT INTO public.users VALUES ('01a21c40-491f-7587-8985-988af47f38bf', 'frieda', 'user', true, 'v1$7b9ac2d7acfbbba4$$2b$04$FOemqIBO5TZNl0jVL8bMVOr1MeR..oCjO6hZjF.LoV1e4gQpAgzzm', '2026-03-02 08:00:29+00', '2026-03-02 08:00:29+00', false);
INSERT INTO public.users VALUES ('01a21c40-48d4-7fa3-a143-7c420a9e468a', 'ursula', 'admin', true, 'v1$7b9ac2d7acfbbba4$$2b$04$JKTRi1VfwcQZyr4Umk/Fv.geyuCQomScU6bLzypZjqBRoWDrBumg2', '2026-03-02 08:00:23+00', '2026-03-02 08:00:32+00', false);
INSERT INTO public.users VALUES ('01a21c40-48fd-7c3e-843f-4f8517ba7261', 'walter', 'user', false, 'v1$7b9ac2d7acfbbba4$$2b$04$C8rGdxce8kYyVWe0uTnNgulib07xRdV9hTQ1i8i5scocC4V.veFkC', '2026-03-02 08:00:26+00', '2026-03-02 08:00:35+00', false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (key);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT pk_audit_events PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (secret_hash);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT uq_sessions_id UNIQUE (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_username UNIQUE (username);
CREATE INDEX ix_attempts_forget_at ON public.attempts USING btree (forget_at);
CREATE INDEX ix_audit_events_action ON public.audit_events USING btree (action, at, id);
CREATE INDEX ix_audit_events_actor ON public.audit_events USING btree (actor, at, id);
CREATE INDEX ix_audit_events_actor_action ON public.audit_events USING btree (actor, action, at, id);
CREATE INDEX ix_audit_events_at ON public.audit_events USING btree (at, id);
CREATE INDEX ix_audit_events_subject_id ON public.audit_events USING btree (subject_id, at, id);
CREATE INDEX ix_audit_events_target ON public.audit_events USING btree (target, at, id);
CREATE INDEX ix_audit_events_target_action ON public.audit_events USING btree (target, action, at, id) WHERE (target IS NOT NULL);
CREATE INDEX ix_sessions_idle_expires_at ON public.sessions USING btree (idle_expires_at);
CREATE INDEX ix_sessions_user_id ON public.sessions USING btree (user_id);
CREATE INDEX ix_users_by_created_at ON public.users USING btree (role, is_active, created_at, id);
CREATE INDEX ix_users_by_id ON public.users USING btree (role, is_active, id);
CREATE INDEX ix_users_by_updated_at ON public.users USING btree (role, is_active, updated_at, id);
CREATE INDEX ix_users_by_username ON public.users USING btree (role, is_active, username);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
