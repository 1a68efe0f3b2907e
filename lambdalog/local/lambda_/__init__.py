"""Lambda, as boto3's client has it: functions kept in SQLite, run by `lambdalog.runtime`."""

from lambdalog.local.lambda_.service import LOCAL_FOLDER, Lambda

__all__ = ["LOCAL_FOLDER", "Lambda"]
