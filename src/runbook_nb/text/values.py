"""What may stand in a JSON document."""

from typing import Any

# A dict ends at the JSON edge: this alias marks the few places where one may still travel.
Json = Any
