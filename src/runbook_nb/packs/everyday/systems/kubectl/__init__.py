"""A Kubernetes or OpenShift cluster by the reading verbs of kubectl or oc, as JSON.

Settings: ``context``, which names the cluster, so that no check reads another one by mistake;
``program = "oc"`` for OpenShift; ``kubeconfig``, a path; ``variables``, which the login needs.
"""

from runbook_nb.packs.everyday.systems.kubectl.probes import count, value

__all__ = ["count", "value"]
