"""What the settings say that pages tell."""

from dishka import Provider, Scope, provide

from gatehouse.accounts.settings import PasswordSettings
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import Settings
from gatehouse.console.presentation.forms import FormRules


class ConsoleProvider(Provider):
    scope = Scope.APP

    @provide
    def form_rules(self, settings: Settings) -> FormRules:
        return FormRules(
            may_sign_up=settings[FeatureSettings].sign_up, min_password_length=settings[PasswordSettings].min_length
        )
