from gatehouse.accounts.application.queries.export_users import ExportBlock, ExportUsers
from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_hashes_come_along_only_if_they_are_asked_for() -> None:
    app = InMemoryApp()
    app.add_user("alice", password="a password")
    blocks: list[ExportBlock] = []

    await app.use(ExportUsers)(FileFormat.CSV, blocks.append, with_hashes=False)
    await app.use(ExportUsers)(FileFormat.CSV, blocks.append, with_hashes=True)

    assert [block.text for block in blocks] == ["csv alice \n", "csv alice hash of a password\n"]
