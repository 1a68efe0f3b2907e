"""Functions: their configuration, their secrets, what they are made of."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_ import LOCAL_FOLDER, Lambda
from lambdalog.local.lambda_.key import StoreKey, Undecryptable
from lambdalog.local.lambda_.room import Room
from tests.functions import zipped
from tests.refusals import refused
from tests.unit.local.lambda_.conftest import ARN, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "hunter2-and-more"


def test_the_environment_is_encrypted_at_rest(client: Any, store_path: Path) -> None:
    """No file of the store holds a variable's value; the function gets it, and the configuration shows it."""
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": SECRET}})
    client.publish_version(FunctionName="f")
    for file in store_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
    key = store_path / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    shown = client.get_function_configuration(FunctionName="f", Qualifier="1")
    assert shown["Environment"] == {"Variables": {"MINE": SECRET}}
    answer = json.loads(client.invoke(FunctionName="f", Qualifier="1", Payload=b"{}")["Payload"].read())
    assert answer["mine"] == SECRET


def test_a_lost_key_is_told_and_not_guessed(client: Any, store_path: Path) -> None:
    """With another key the configuration shows Lambda's error, and an invocation is refused with KMS's."""
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": SECRET}})
    (store_path / "key").write_bytes(bytes(32))
    client.key._cipher = None
    shown = client.get_function_configuration(FunctionName="f")
    assert shown["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
    code, text, status = refused(client.invoke, FunctionName="f")
    assert (code, status) == ("KMSAccessDeniedException", 502)
    assert text.startswith(
        "Lambda was unable to decrypt the environment variables because KMS access was denied."
    )


def test_a_sealed_environment_is_its_functions_alone(tmp_path: Path) -> None:
    """What was sealed for one function doesn't open for another, nor when it was changed."""
    key = StoreKey(tmp_path / "key")
    sealed = key.seal({"A": "ü"}, "f")
    assert StoreKey(tmp_path / "key").open(sealed, "f") == {"A": "ü"}
    for text, owner in ((sealed, "g"), (sealed[:-8] + "AAAAAAA=", "f")):
        with pytest.raises(Undecryptable):
            key.open(text, owner)
    assert key.seal({"A": "ü"}, "f") != sealed


def test_a_key_that_can_not_be_read_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's functions are listed as Lambda lists those whose KMS key one may not use."""
    sealed = StoreKey(tmp_path / "key").seal({"A": "1"}, "f")

    def refuse(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    with pytest.raises(Undecryptable):
        StoreKey(tmp_path / "key").open(sealed, "f")
    with pytest.raises(PermissionError):
        StoreKey(tmp_path / "key").seal({"A": "1"}, "f")


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """Whoever comes second takes the key that is there, and nothing else is left in the folder."""
    first, second = StoreKey(tmp_path / "key"), StoreKey(tmp_path / "key")
    assert second.open(first.seal({"A": "1"}, "f"), "f") == {"A": "1"}
    assert first._make() == (tmp_path / "key").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_settings_are_kept_and_merged(client: Any) -> None:
    """What an update leaves out stays; logging is merged; empty values take settings away."""
    client.update_function_configuration(
        FunctionName="f",
        Description="d",
        DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"},
        KMSKeyArn="arn:aws:kms:us-east-1:000000000000:key/k",
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"},
    )
    client.update_function_configuration(FunctionName="f", LoggingConfig={"SystemLogLevel": "WARN"})
    config = client.get_function_configuration(FunctionName="f")
    assert config["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": "/aws/lambda/f",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "WARN",
    }
    assert (config["Description"], config["TracingConfig"], config["EphemeralStorage"]) == (
        "d",
        {"Mode": "Active"},
        {"Size": 1024},
    )
    client.update_function_configuration(
        FunctionName="f",
        DeadLetterConfig={"TargetArn": ""},
        KMSKeyArn="",
        LoggingConfig={"LogFormat": "Text"},
    )
    config = client.get_function_configuration(FunctionName="f")
    assert not {"DeadLetterConfig", "KMSKeyArn"} & config.keys()
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}


def test_what_the_runtime_is_told_is_what_is_configured(client: Any) -> None:
    """Each setting that matters to a running function reaches its specification."""
    client.update_function_configuration(
        FunctionName="f",
        MemorySize=512,
        Timeout=7,
        EphemeralStorage={"Size": 700},
        TracingConfig={"Mode": "Active"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "mine", "SystemLogLevel": "DEBUG"},
    )
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    spec = client.spec(client.find("f"))
    assert (spec.memory, spec.timeout, spec.ephemeral_storage, spec.tracing) == (512, 7.0, 700, "Active")
    assert (spec.log_format, spec.log_group, spec.system_log_level, spec.application_log_level) == (
        "JSON",
        "mine",
        "DEBUG",
        "INFO",
    )
    assert (
        spec.recursive_loop
        == client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"]
        == "Allow"
    )


def test_the_runtime_is_told_of_each_change(client: Any) -> None:
    """The specification of a version is kept, for as long as all that it was made of stays."""

    def told() -> Any:
        return client.spec(client.find("f"))

    before = told()
    assert told() == before
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "new"}})
    assert told().environment["MINE"] == "new"
    client.update_function_configuration(FunctionName="f", Timeout=9)
    assert told().timeout == 9.0
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    assert told().recursive_loop == "Allow"
    client.surroundings = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert told().environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    client.update_function_code(FunctionName="f", ZipFile=zipped(app="x = 1"))
    assert told().code != before.code
    client.delete_function(FunctionName="f")
    code = {"ZipFile": zipped(app="x = 1")}
    client.create_function(FunctionName="f", Role=ROLE, Handler="app.other", Runtime="python3.11", Code=code)
    assert (told().handler, told().recursive_loop) == ("app.other", "Terminate")
    assert "MINE" not in told().environment


def test_a_dry_run_of_an_update_changes_nothing(client: Any) -> None:
    """UpdateFunctionCode(DryRun) answers as if, and the old code stays."""
    before = client.get_function(FunctionName="f")
    answer = client.update_function_code(FunctionName="f", ZipFile=zipped(app="x = 1"), DryRun=True)
    assert answer["CodeSha256"] != before["Configuration"]["CodeSha256"]
    assert client.get_function(FunctionName="f")["Code"] == before["Code"]


def test_a_zip_file_of_this_machine_is_taken_in(client: Any, tmp_path: Path) -> None:
    """S3Key may name a zip: it is unpacked into the store like one that is uploaded, once."""
    file = tmp_path / "package.zip"
    file.write_bytes(zipped(app="def handler(event, context):\n    return 'from a file'\n"))
    for name in ("z1", "z2"):
        made = client.create_function(
            FunctionName=name,
            Role=ROLE,
            Handler="app.handler",
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(file)},
        )
        assert made["CodeSize"] == file.stat().st_size
    assert client.invoke(FunctionName="z2")["Payload"].read() == b'"from a file"'
    one, two = (client.get_function(FunctionName=name)["Code"]["Location"] for name in ("z1", "z2"))
    assert one == two


def test_the_accounts_settings_count(client: Any, make: Callable[..., Any]) -> None:
    """Limits of the account, what is reserved of them, functions and the size of their code."""
    data = zipped(app="x = 1")
    client.create_function(FunctionName="z", Role=ROLE, Handler="app.handler", Code={"ZipFile": data})
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=300)
    found = client.get_account_settings()
    assert found["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert found["AccountLimit"]["UnreservedConcurrentExecutions"] == 700
    assert found["AccountUsage"] == {"TotalCodeSize": len(data), "FunctionCount": 2}
    make("g")
    assert (
        refused(client.put_function_concurrency, FunctionName="g", ReservedConcurrentExecutions=601)[2] == 400
    )
    client.put_function_concurrency(FunctionName="g", ReservedConcurrentExecutions=600)


def test_tags_are_the_functions(client: Any) -> None:
    """Added, overwritten, removed, listed, and shown with the function."""
    client.tag_resource(Resource=ARN, Tags={"a": "1", "b": "2"})
    client.tag_resource(Resource=ARN, Tags={"b": "3", "c": "4"})
    client.untag_resource(Resource=ARN, TagKeys=["a", "not there"])
    assert client.list_tags(Resource=ARN)["Tags"] == {"b": "3", "c": "4"}
    assert client.get_function(FunctionName="f")["Tags"] == {"b": "3", "c": "4"}


def test_event_configurations_are_kept_by_qualifier(client: Any) -> None:
    """Put overwrites, update merges, each qualifier has its own, and all are listed."""
    client.publish_version(FunctionName="f")
    queue = "arn:aws:sqs:us-east-1:000000000000:q"
    client.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    merged = client.update_function_event_invoke_config(FunctionName="f", MaximumEventAgeInSeconds=60)
    assert merged["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": queue}}
    assert (merged["MaximumRetryAttempts"], merged["MaximumEventAgeInSeconds"]) == (1, 60)
    client.put_function_event_invoke_config(FunctionName=f"{ARN}:1", MaximumRetryAttempts=0)
    over = client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=2)
    assert over["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert "MaximumEventAgeInSeconds" not in over
    listed = client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"]
    assert [found["FunctionArn"] for found in listed] == [f"{ARN}:$LATEST", f"{ARN}:1"]


def test_rooms_do_not_take_each_others_names() -> None:
    """A method that two rooms define would hide one of them; only what a room takes from those below may be redefined."""
    seen: dict[str, type] = {}
    for room in reversed(Lambda.__mro__):
        if not issubclass(room, Room) or room is Lambda:
            continue
        for name in vars(room):
            if name.startswith("__") or not callable(getattr(room, name)):
                continue
            assert name not in seen or seen[name] is Room, (
                f"{name}: {room.__name__} and {seen[name].__name__}"
            )
            seen[name] = room
