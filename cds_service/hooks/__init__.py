"""The hooks this service answers, one file each; add a hook by adding a file and a line here."""

from __future__ import annotations

from cds_service.hooks import patient_view
from cds_service.hooks.context import Hook

HOOKS: dict[str, Hook] = {hook.name: hook for hook in (patient_view.HOOK,)}
