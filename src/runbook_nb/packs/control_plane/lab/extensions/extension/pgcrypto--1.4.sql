-- Hashes and random bytes of pgcrypto 1.4 in SQL, made from what the core server brings.

create function digest(content bytea, algorithm text)
returns bytea
language plpgsql immutable strict parallel safe
as $$
begin
    case lower(algorithm)
        when 'md5' then return decode(md5(content), 'hex');
        when 'sha224' then return sha224(content);
        when 'sha256' then return sha256(content);
        when 'sha384' then return sha384(content);
        when 'sha512' then return sha512(content);
        else raise exception 'Cannot use "%": No such hash algorithm', algorithm
            using errcode = 'invalid_parameter_value';
    end case;
end;
$$;

create function digest(content text, algorithm text)
returns bytea
language sql immutable strict parallel safe
as $$
    select @extschema@.digest(convert_to(content, 'UTF8'), algorithm);
$$;

-- Not for keys: six bits of each 16-byte UUID are fixed by its version and variant.
create function gen_random_bytes(length integer)
returns bytea
language plpgsql volatile strict parallel safe
as $$
declare
    collected bytea := '';
begin
    if length < 1 or length > 1024 then
        raise exception 'Length not in range'
            using errcode = 'external_routine_invocation_exception';
    end if;

    while octet_length(collected) < length loop
        collected := collected || uuid_send(gen_random_uuid());
    end loop;

    return substring(collected for length);
end;
$$;
