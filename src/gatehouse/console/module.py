"""What the console brings: pages over the use cases of the other modules."""

from typing import Final

from gatehouse.common.modules import Module
from gatehouse.common.presentation.http.web_pages import WebPages
from gatehouse.console.presentation import assets, audit, log_in, own_account, user, users
from gatehouse.console.presentation.errors import respond_to_error
from gatehouse.console.presentation.rendering import PREFIX
from gatehouse.console.providers import ConsoleProvider

CONSOLE: Final = Module(
    name="console",
    providers=(ConsoleProvider(),),
    routers=(assets.router, log_in.router, own_account.router, users.router, user.router, audit.router),
    web_pages=WebPages(PREFIX, respond_to_error),
)
