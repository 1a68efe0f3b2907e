"""Queries that are kept under a name."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from lambdalog.local.logs.room import Room


class QueryDefinitions(Room):
    """The operations on query definitions. Their text is not read before it is run, as at AWS."""

    def put_query_definition(
        self,
        *,
        name: str,
        queryString: str,
        queryDefinitionId: str | None = None,
        logGroupNames: list[str] | None = None,
        clientToken: str | None = None,
        queryLanguage: str = "CWLI",
        parameters: list[dict[str, str]] | None = None,
    ) -> dict[str, Any]:
        """PutQueryDefinition: a new one, or with an id, all of that one anew."""
        del clientToken
        record: dict[str, Any] = {
            "queryLanguage": queryLanguage,
            "name": name,
            "queryString": queryString,
            "lastModified": self.clock.now_ms(),
            "logGroupNames": logGroupNames or [],
        }
        if parameters is not None:
            record["parameters"] = parameters
        text = orjson.dumps(record).decode()
        db = self._try(lambda: self._ledger.tables.connection)
        if queryDefinitionId is None:
            found = str(uuid.uuid4())
            db.execute("INSERT INTO query_definitions VALUES (?, ?, ?)", (found, name, text))
            return {"queryDefinitionId": found}
        changed = db.execute(
            "UPDATE query_definitions SET name = ?, record = ? WHERE id = ?", (name, text, queryDefinitionId)
        ).rowcount
        if not changed:
            raise self._no_definition()
        return {"queryDefinitionId": queryDefinitionId}

    def describe_query_definitions(
        self,
        *,
        queryDefinitionNamePrefix: str | None = None,
        maxResults: int = 1000,
        nextToken: str | None = None,
        queryLanguage: str | None = None,
    ) -> dict[str, Any]:
        """DescribeQueryDefinitions, by name."""
        rows = (
            self._try(
                lambda: self._ledger.tables.connection.execute(
                    "SELECT id, record FROM query_definitions ORDER BY name, id"
                ).fetchall()
            )
            if self._ledger.exists
            else []
        )
        found = [
            record
            for row in rows
            if (record := {"queryDefinitionId": row[0], **orjson.loads(row[1])})["name"].startswith(
                queryDefinitionNamePrefix or ""
            )
            and queryLanguage in {None, record["queryLanguage"]}
        ]
        page, token = self._page(
            found, [record["queryDefinitionId"] for record in found], maxResults, nextToken
        )
        return {"queryDefinitions": page} | ({"nextToken": token} if token else {})

    def delete_query_definition(self, *, queryDefinitionId: str) -> dict[str, Any]:
        """DeleteQueryDefinition."""
        db = self._try(lambda: self._ledger.tables.connection)
        gone = db.execute("DELETE FROM query_definitions WHERE id = ?", (queryDefinitionId,)).rowcount
        if not gone:
            raise self._no_definition()
        return {"success": True}

    def _no_definition(self) -> Exception:
        return self.error("ResourceNotFoundException", "The specified query definition does not exist.")
