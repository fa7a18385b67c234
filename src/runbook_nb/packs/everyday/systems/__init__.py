"""The systems of the everyday pack; all of them only read.

A notebook imports a system and asks it::

    from runbook_nb.packs.everyday.systems import http, prometheus, sql

    prometheus.value("max(up)")
"""
