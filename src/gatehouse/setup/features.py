"""Which capabilities are there."""

from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, Settings


def serves_docs(settings: Settings) -> bool:
    docs, former = settings[FeatureSettings].docs, settings[AppSettings].docs
    if docs is None and former is None:
        return not settings[AppSettings].is_production
    return bool(former if docs is None else docs)
