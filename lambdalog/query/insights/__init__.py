"""The language of CloudWatch Logs Insights, evaluated over a store.

    fields @timestamp, @message | filter level = "ERROR" | sort @timestamp desc | limit 20
    stats count(*) as n, pct(@duration, 99) by bin(5m)
    parse @message "user=* took *ms" as user, ms | stats avg(ms) by user

`read(text)` gives the commands, or a QueryError with the place of what can't be; `Run` evaluates them.
"""

from lambdalog.query.insights.reader import read
from lambdalog.query.insights.run import Cancelled, Run
from lambdalog.query.insights.syntax import Query

__all__ = ["Cancelled", "Query", "Run", "read"]
