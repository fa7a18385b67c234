"""The lab's alerting: the rules, the routes, and weeks of samples and pages they can be held to.

Four files in the lab's folder ``alerting`` hold it all: ``rules.yml`` and ``alertmanager.yml`` as
Prometheus and Alertmanager load them, ``weeks.json`` with the samples and the pages of the last
weeks, and ``silences.json``. The emulators of Prometheus, Alertmanager and PagerDuty read them.
"""
