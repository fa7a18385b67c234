"""One run of a runbook: unattended by papermill, or by hand in JupyterLab."""
