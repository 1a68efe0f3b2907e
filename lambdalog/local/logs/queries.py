"""Insights queries: started, followed, stopped, read; and looked up from what they found."""

from __future__ import annotations

import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import LambdalogError, QueryError
from lambdalog.local.logs.query_log import UNFINISHED, QueryLog
from lambdalog.local.logs.room import Room, group_name
from lambdalog.store import Scan

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from lambdalog.local.logs.query_log import Started
    from lambdalog.query.insights import Run
    from lambdalog.query.insights.run import Row, Statistics

logger = logging.getLogger(__name__)

# "You can query up to 50 log groups." "You can have up to 100 concurrent CloudWatch Logs insights queries."
GROUPS_MAX: Final = 50
CONCURRENT_MAX: Final = 100
LIMIT: Final = 10_000
PAGE: Final = 10_000
RESULT_BYTES_MAX: Final = 256 * 1024 * 1024
# Evaluating is work for the processor: more at once only hinder each other.
_WORKERS: Final = 2
# GetLogGroupFields: 8 minutes before and after a time, or the last 15; of these so many events are looked at.
_AROUND_MS: Final = 8 * 60_000
_RECENT_MS: Final = 15 * 60_000
_SAMPLE: Final = 5_000
_NO_QUERY: Final = "The specified query does not exist."


class _Running:
    """A query of this process that has not ended."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.rows: list[Row] = []
        self.run: Run | None = None


class Queries(Room):
    """The operations on queries."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queries = QueryLog(self._ledger)
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Stop what runs, then close the tables."""
        with self._lock:
            pool, self._pool = self._pool, None
            for running in self._running.values():
                running.stop.set()
        if pool is not None:
            pool.shutdown(wait=True)
        super().close()

    def start_query(
        self,
        *,
        queryString: str,
        startTime: int,
        endTime: int,
        logGroupName: str | None = None,
        logGroupNames: list[str] | None = None,
        logGroupIdentifiers: list[str] | None = None,
        limit: int = LIMIT,
        queryLanguage: str = "CWLI",
    ) -> dict[str, Any]:
        """StartQuery: times in epoch seconds, both inclusive. The query runs on; GetQueryResults follows it."""
        # The language is read where a query begins: most commands ask for no such thing, and it is a fifth of their start.
        from lambdalog.query.insights import Run, read

        if queryLanguage != "CWLI":
            raise self._invalid(f"Queries in {queryLanguage} are not evaluated here, only in CWLI.")
        groups = self._queried(logGroupName, logGroupNames, logGroupIdentifiers)
        if startTime > endTime:
            raise self._invalid("The query's end time must not be before its start time.")
        try:
            query = read(queryString)
        except QueryError as error:
            raise self._malformed(error) from None
        query_id = str(uuid.uuid4())
        record = {
            "groups": groups,
            "start": startTime,
            "end": endTime,
            "text": queryString,
            "limit": limit,
        }
        running = _Running()
        running.run = Run(
            query,
            self._store,
            groups,
            start=startTime * 1000,
            end=(endTime + 1) * 1000,
            limit=limit,
            stopped=running.stop.is_set,
        )
        self._try(lambda: self._queries.add(query_id, self.clock.now_ms(), record))
        with self._lock:
            if len(self._running) >= CONCURRENT_MAX:
                raise self.error("LimitExceededException", "Account maximum query concurrency limit reached.")
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lambdalog-query")
            self._running[query_id] = running
            self._pool.submit(self._evaluate, query_id, running)
        return {"queryId": query_id}

    def stop_query(self, *, queryId: str) -> dict[str, Any]:
        """StopQuery: what it has found so far stays."""
        with self._lock:
            running = self._running.get(queryId)
        query = self._query(queryId)
        # One that has told its end may be about to leave those that run.
        if running is not None and query.status in UNFINISHED:
            running.stop.set()
            return {"success": True}
        raise self._invalid(f"Query is already ended with {query.status} status.")

    def get_query_results(
        self, *, queryId: str, nextToken: str | None = None, maxItems: int | None = None
    ) -> dict[str, Any]:
        """GetQueryResults: while the query runs, what it has found so far."""
        with self._lock:
            running = self._running.get(queryId)
            rows = None if running is None else list(running.rows)
        query = self._query(queryId)
        if rows is None or query.status not in UNFINISHED:
            rows = self._try(lambda: self._queries.results(queryId))
        statistics = query.statistics
        if running is not None and running.run is not None and not statistics:
            statistics = _statistics(running.run.statistics)
        begin = self._begin(nextToken)
        end = begin + (maxItems or PAGE)
        response: dict[str, Any] = {
            "queryLanguage": "CWLI",
            "results": [
                [{"field": field, "value": value} for field, value in row] for row in rows[begin:end]
            ],
            "statistics": statistics or _statistics(None),
            "status": query.status,
        }
        return response | ({"nextToken": str(end)} if end < len(rows) else {})

    def describe_queries(
        self,
        *,
        logGroupName: str | None = None,
        status: str | None = None,
        maxResults: int = 1000,
        nextToken: str | None = None,
        queryLanguage: str = "CWLI",
    ) -> dict[str, Any]:
        """DescribeQueries: of the last seven days, the newest first."""
        found = [
            query
            for query in self._try(self._queries.all)
            if (logGroupName is None or logGroupName in query.record["groups"])
            and status in {None, query.status}
            and queryLanguage == "CWLI"
        ] if self._ledger.exists else []  # fmt: skip
        page, token = self._page(found, [query.id for query in found], maxResults, nextToken)
        response: dict[str, Any] = {"queries": [_described(query) for query in page]}
        return response | ({"nextToken": token} if token else {})

    def get_log_record(self, *, logRecordPointer: str, unmask: bool = False) -> dict[str, Any]:
        """GetLogRecord: all fields of the event that a row's @ptr names."""
        from lambdalog.query.insights.records import Record, getter, names, pointed
        from lambdalog.query.insights.values import text_of

        del unmask
        try:
            group, (timestamp, ingestion, segment, offset) = pointed(logRecordPointer)
        except ValueError:
            raise self._invalid("The specified log record pointer is invalid.") from None
        self._group(group)
        for event in self._store.scan(Scan(group, start=timestamp, end=timestamp + 1)):
            if event.position == (timestamp, ingestion, segment, offset):
                record = Record(event, {})
                fields = {name: getter(name)(record) for name in names(record)}
                return {
                    "logRecord": {
                        name: str(int(value)) if name in {"@timestamp", "@ingestionTime"} else text_of(value)
                        for name, value in fields.items()
                        if value is not None
                    }
                }
        raise self.error("ResourceNotFoundException", "The specified log record does not exist.")

    def get_log_group_fields(
        self,
        *,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        time: int | None = None,
    ) -> dict[str, Any]:
        """GetLogGroupFields: the fields of a group's newest events around a time, and how many of them have each."""
        from lambdalog.query.insights.records import Record, names

        group = self._one_group(logGroupName, logGroupIdentifier)
        self._group(group)
        now = self.clock.now_ms()
        start, end = (
            (now - _RECENT_MS, now + 1)
            if time is None
            else (time * 1000 - _AROUND_MS, time * 1000 + _AROUND_MS)
        )
        counts: dict[str, int] = {}
        seen = 0
        for event in self._store.scan(Scan(group, start=max(start, 0), end=end, descending=True)):
            if seen == _SAMPLE:
                break
            seen += 1
            for name in names(Record(event, {})):
                if name != "@ptr":
                    counts[name] = counts.get(name, 0) + 1
        fields = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {"logGroupFields": [{"name": name, "percent": count * 100 // seen} for name, count in fields]}

    # --- one query

    def _evaluate(self, query_id: str, running: _Running) -> None:
        """Run a query to its end, in a thread of the pool. Whatever happens, its end is noted."""
        from lambdalog.query.insights import Cancelled

        assert running.run is not None
        status = "Failed"
        try:
            if running.stop.is_set():
                raise Cancelled
            self._queries.running(query_id)
            size = 0
            for row in running.run.rows():
                running.rows.append(row)
                size += sum(len(name) + len(value) for name, value in row)
                if size > RESULT_BYTES_MAX:
                    raise QueryError(f"the results are larger than {RESULT_BYTES_MAX} bytes")
            status = "Complete"
        except Cancelled:
            status = "Cancelled"
        except LambdalogError as error:
            logger.warning("the query %s failed: %s", query_id, error)
        except Exception:
            logger.exception("the query %s failed", query_id)
        finally:
            try:
                self._queries.ended(query_id, status, _statistics(running.run.statistics), running.rows)
            except Exception:
                logger.exception("the results of the query %s could not be kept", query_id)
            with self._lock:
                del self._running[query_id]

    def _query(self, query_id: str) -> Started:
        found = self._try(lambda: self._queries.find(query_id)) if self._ledger.exists else None
        if found is None:
            raise self.error("ResourceNotFoundException", _NO_QUERY)
        query: Started = found
        return query

    def _queried(
        self, name: str | None, several: list[str] | None, identifiers: list[str] | None
    ) -> list[str]:
        given = [each for each in (name, several, identifiers) if each is not None]
        if len(given) != 1:
            raise self._invalid(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers has to be specified."
            )
        named = [name] if name is not None else [group_name(each) for each in several or identifiers or []]
        if not named or len(named) > GROUPS_MAX:
            raise self._invalid(f"A query takes from 1 to {GROUPS_MAX} log groups.")
        groups = list(dict.fromkeys(named))
        for each in groups:
            if self._try(lambda each=each: self._store.group(each)) is None:  # type: ignore[misc]
                raise self.error(
                    "ResourceNotFoundException",
                    f"Log group '{each}' does not exist for account ID '{self.scope.account}'",
                )
        return groups

    def _malformed(self, error: QueryError) -> ClientError:
        location = {"startCharOffset": error.position, "endCharOffset": error.end}
        return self.error(
            "MalformedQueryException",
            str(error),
            queryCompileError={"location": location, "message": str(error)},
        )

    def _begin(self, token: str | None) -> int:
        if token is None:
            return 0
        if not (token.isascii() and token.isdigit()):
            raise self._invalid("The specified nextToken is invalid.")
        return int(token)


def _statistics(found: Statistics | None) -> dict[str, float]:
    return {
        "recordsMatched": float(found.matched if found else 0),
        "recordsScanned": float(found.scanned if found else 0),
        "estimatedRecordsSkipped": 0.0,
        "bytesScanned": float(found.bytes if found else 0),
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": float(found.groups if found else 0),
    }


def _described(query: Started) -> dict[str, Any]:
    record = query.record
    sources = ",".join(f'"{group}"' for group in record["groups"])
    return {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": f"SOURCE {sources} START={record['start']}000 END={record['end']}999 | {record['text']}",
        "status": query.status,
        "createTime": query.created,
        "logGroupName": record["groups"][0],
    }
