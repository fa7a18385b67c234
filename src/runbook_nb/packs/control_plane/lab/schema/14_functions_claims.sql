-- The functions that read who is calling from the claims of the request's JSON web token.

create function current_claims()
returns jsonb
language plpgsql stable
as $$
declare
    claims text := nullif(current_setting('request.jwt.claims', true), '');
begin
    return coalesce(claims::jsonb, '{}');
exception
    when data_exception then
        return '{}';
end;
$$;

create function current_tenant_id()
returns uuid
language sql stable
as $$
    select nullif(current_claims() ->> 'tenant_id', '')::uuid;
$$;

-- Kept as the platform has it: no policy asks for the user.
create function current_user_id()
returns uuid
language sql stable
as $$
    select nullif(current_claims() ->> 'sub', '')::uuid;
$$;

-- Kept as the platform has it: roles that are a string or a JSON null raise an error.
create function current_roles()
returns text[]
language sql stable
as $$
    select array(
        select jsonb_array_elements_text(coalesce(current_claims() -> 'roles', '[]'))
    );
$$;

create function has_role(target_role text)
returns boolean
language sql stable
as $$
    select target_role = any(current_roles());
$$;
