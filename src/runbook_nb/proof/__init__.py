"""The proof of a record: what it holds, who sealed it, and whether that is still so."""

from runbook_nb.proof.contents import ENVELOPE, FACTS, PAGE, TIMELINE, Content, contents_of
from runbook_nb.proof.envelope import seal_record
from runbook_nb.proof.keys import Seal, signing_seal
from runbook_nb.proof.verifying import Signer, Standing, Verification, verify_record

__all__ = [
    "ENVELOPE",
    "FACTS",
    "PAGE",
    "TIMELINE",
    "Content",
    "Seal",
    "Signer",
    "Standing",
    "Verification",
    "contents_of",
    "seal_record",
    "signing_seal",
    "verify_record",
]
