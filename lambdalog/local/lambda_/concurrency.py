"""How many invocations may run: reserved concurrency, the account's settings, and whether recursion is stopped."""

from __future__ import annotations

from typing import Any, Final

from lambdalog.local.lambda_.room import Room

# From the page of Lambda quotas; GetAccountSettings names them.
TOTAL_CODE_SIZE: Final = 80_530_636_800
CODE_SIZE_UNZIPPED: Final = 262_144_000
CODE_SIZE_ZIPPED: Final = 52_428_800


class Concurrency(Room):
    """Put-, Get-, DeleteFunctionConcurrency; GetAccountSettings; Put- and GetFunctionRecursionConfig."""

    def put_function_concurrency(
        self, *, FunctionName: str, ReservedConcurrentExecutions: int
    ) -> dict[str, Any]:
        """PutFunctionConcurrency: 0 switches the function off."""
        name = self._unqualified(FunctionName)
        with self.catalog.transaction():
            record = self.catalog.get("function", name)
            if record is None:
                raise self.no_function(name, "$LATEST")
            left = self.limits.account_concurrency - self._reserved(but=name) - ReservedConcurrentExecutions
            if left < self.limits.unreserved_min and ReservedConcurrentExecutions:
                raise self.invalid(
                    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                    f"below its minimum value of [{self.limits.unreserved_min}]."
                )
            record["concurrency"] = ReservedConcurrentExecutions
            self.catalog.put("function", name, "", record)
        return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:
        """GetFunctionConcurrency: empty when nothing is reserved."""
        record = self.find(FunctionName).record
        return {"ReservedConcurrentExecutions": record["concurrency"]} if "concurrency" in record else {}

    def delete_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:
        """DeleteFunctionConcurrency."""
        name = self._unqualified(FunctionName)

        def change(record: dict[str, Any]) -> None:
            record.pop("concurrency", None)

        self.change_function(name, change)
        return {}

    def get_account_settings(self) -> dict[str, Any]:
        """GetAccountSettings: the limits, and what is used of them."""
        functions = list(self.catalog.all("function"))
        size = sum(record["config"]["CodeSize"] for _, _, record in functions)
        size += sum(record["config"]["CodeSize"] for _, _, record in self.catalog.all("version"))
        size += sum(
            record["size"] for _, key, record in self.catalog.all("layer") if key and "deleted" not in record
        )
        return {
            "AccountLimit": {
                "TotalCodeSize": TOTAL_CODE_SIZE,
                "CodeSizeUnzipped": CODE_SIZE_UNZIPPED,
                "CodeSizeZipped": CODE_SIZE_ZIPPED,
                "ConcurrentExecutions": self.limits.account_concurrency,
                "UnreservedConcurrentExecutions": self.limits.account_concurrency - self._reserved(),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(functions)},
        }

    def put_function_recursion_config(self, *, FunctionName: str, RecursiveLoop: str) -> dict[str, Any]:
        """PutFunctionRecursionConfig: whether a chain of the function's own invocations is stopped."""
        name = self.find(FunctionName).name
        self.change_function(name, lambda record: record.update(recursive_loop=RecursiveLoop))
        return {"RecursiveLoop": RecursiveLoop}

    def get_function_recursion_config(self, *, FunctionName: str) -> dict[str, Any]:
        """GetFunctionRecursionConfig."""
        return {"RecursiveLoop": self.find(FunctionName).record.get("recursive_loop", "Terminate")}

    def _reserved(self, *, but: str | None = None) -> int:
        return sum(
            record.get("concurrency", 0) for name, _, record in self.catalog.all("function") if name != but
        )

    def _unqualified(self, text: str) -> str:
        named = self.named(text)
        if named.qualifier is not None:
            raise self.functions_only()
        return named.name
