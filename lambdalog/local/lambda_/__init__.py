"""Lambda, as boto3's client has it: functions kept in SQLite, run by `lambdalog.runtime`."""

from lambdalog.local.lambda_.code import LOCAL_FOLDER
from lambdalog.local.lambda_.service import Lambda

__all__ = ["LOCAL_FOLDER", "Lambda"]
