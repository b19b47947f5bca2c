"""Intake's use cases with their collaborators: one object for the process."""

from __future__ import annotations

from backbone.process.settings import secret, secrets
from services.intake.catalogue.use_cases import CatalogueUseCases
from services.intake.desk.use_cases import DeskUseCases
from services.intake.identities.use_cases import IdentityUseCases
from services.intake.identities.vault import Vault
from services.intake.settings import Settings
from services.intake.submissions.codes import CodeKeys
from services.intake.submissions.use_cases import SubmissionUseCases


class Intake:
    """What `service.py` calls, by capability."""

    def __init__(self, settings: Settings) -> None:
        keys = CodeKeys(
            mac=secrets(settings.code_mac_keys),
            index=secrets(settings.code_index_keys),
            derive=secret(settings.code_derive_key),
        )
        self.catalogue = CatalogueUseCases()
        self.identities = IdentityUseCases(vault(settings), secrets(settings.intake_private_keys), keys.index)
        self.submissions = SubmissionUseCases(self.catalogue, self.identities, keys, secret(settings.notify_public_key))
        self.desk = DeskUseCases(self.identities, keys, secret(settings.notify_public_key))


def vault(settings: Settings) -> Vault:
    """The vault of identities under the master keys of the settings."""
    return Vault({name: secret(key) for name, key in settings.identity_master_keys.items()})
