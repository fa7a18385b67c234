"""The proof of a record: what it holds, who sealed it, and whether that is still so."""

from runbook_nb.record.proof.comparison import Change, Problem
from runbook_nb.record.proof.contents import (
    Content,
    contents_of,
    without_copies,
)
from runbook_nb.record.proof.envelope import (
    EnvelopeError,
    Reseal,
    Statement,
    read_envelope,
    seal_record,
)
from runbook_nb.record.proof.verification import (
    ProofResult,
    Signer,
    SignerTrust,
    Witnessed,
    verify_record,
)
from runbook_nb.runbook.keys import Seal, signing_seal

__all__ = [
    "Change",
    "Content",
    "EnvelopeError",
    "Problem",
    "ProofResult",
    "Reseal",
    "Seal",
    "Signer",
    "SignerTrust",
    "Statement",
    "Witnessed",
    "contents_of",
    "read_envelope",
    "seal_record",
    "signing_seal",
    "verify_record",
    "without_copies",
]
