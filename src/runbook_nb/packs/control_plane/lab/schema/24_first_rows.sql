-- The rows every workspace starts with: four personas and the demo tenant.

insert into personas (name)
values ('RevOps'), ('Support'), ('Engineering'), ('Governance')
on conflict (name) do nothing;

insert into tenants (slug, name)
values ('demo', 'Demo Workspace')
on conflict (slug) do nothing;
