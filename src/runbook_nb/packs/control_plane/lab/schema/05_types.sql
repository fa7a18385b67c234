-- The 15 enumerated types, labels in order.

create type mission_stage as enum (
    'Home', 'Define', 'Prepare', 'Plan', 'Approve', 'Execute', 'Reflect'
);

create type mission_status as enum (
    'draft', 'in_progress', 'ready', 'blocked', 'completed', 'archived'
);

create type readiness_state as enum (
    'unknown', 'needs_auth', 'needs_data', 'blocked', 'degraded', 'ready'
);

create type approval_status as enum (
    'requested', 'delegated', 'approved', 'rejected', 'expired'
);

create type undo_event_type as enum (
    'planned', 'available', 'requested', 'executed', 'failed'
);

create type stage_progress_state as enum (
    'pending', 'in_progress', 'ready', 'blocked', 'completed'
);

create type safeguard_severity as enum ('low', 'medium', 'high', 'critical');

create type connection_status as enum (
    'initiated', 'approved', 'expired', 'revoked', 'failed'
);

create type inspection_outcome as enum ('pass', 'warn', 'fail');

create type undo_plan_state as enum ('draft', 'ready', 'executed', 'expired');

create type session_state as enum ('active', 'idle', 'terminated');

create type followup_state as enum (
    'open', 'in_progress', 'done', 'deferred', 'cancelled'
);

create type telemetry_level as enum ('info', 'success', 'warning', 'error');

create type redaction_state as enum ('not_required', 'applied', 'pending_review');

create type undo_status as enum ('pending', 'in_progress', 'completed', 'failed');
