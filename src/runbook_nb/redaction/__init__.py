"""What is masked, cut and made harmless before anything is written.

Three things happen to every text on its way to disk, in this order: what could act on a screen
(escape sequences, control and direction marks) is made visible, since it could also split a
secret; then secret values that this process knows are masked, and what looks like a secret. Sizes
are cut last. If masking itself fails, the text is withheld: no secret leaves because a pattern
broke.
"""

from runbook_nb.redaction.known_values import has_ordinary
from runbook_nb.redaction.names import names_secret
from runbook_nb.redaction.patterns import PATTERNS
from runbook_nb.redaction.redactor import ROWS_LIMIT, TEXT_LIMIT, Redactor
from runbook_nb.redaction.report import Masked, RedactionReport, report_of
from runbook_nb.redaction.tokens import IN_PROSE
from runbook_nb.text.control_characters import visible

__all__ = [
    "IN_PROSE",
    "PATTERNS",
    "ROWS_LIMIT",
    "TEXT_LIMIT",
    "Masked",
    "RedactionReport",
    "Redactor",
    "has_ordinary",
    "names_secret",
    "report_of",
    "visible",
]
