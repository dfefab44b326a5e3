"""A stand-in Linear: one workspace over GraphQL, with the vendor's limits and with faults on order."""

from typing import Any

import msgspec
from aiohttp import web
from graphql import ExecutionResult, GraphQLError, GraphQLSyntaxError, execute_sync, parse, validate

from ctower_desktop.sandbox.faults import Faults
from ctower_desktop.sandbox.front import Clock, Front, Seen, json_response
from ctower_desktop.sandbox.linear_limits import LARGEST_QUERY, Bucket, cost_of
from ctower_desktop.sandbox.linear_schema import SCHEMA, Resolver
from ctower_desktop.sandbox.linear_state import LinearError, LinearState


class Call(msgspec.Struct, frozen=True):
    """A GraphQL request."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None


class Linear(LinearState):
    """One workspace as a program. The limits are the vendor's for a personal key."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "lin_api_key",  # noqa: S107 - a made-up key of a made-up workspace
        requests_per_hour: int = 2_500,
        points_per_hour: int = 3_000_000,
        **workspace: Any,
    ) -> None:
        super().__init__(clock, **workspace)
        self.token = token
        self.epoch = 0
        self.asked = Bucket(clock, requests_per_hour)
        self.points = Bucket(clock, points_per_hour)
        self.front = Front(clock, Faults(self.refusal), self.limits)

    @property
    def faults(self) -> Faults:
        """What goes wrong next."""
        return self.front.faults

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, with the operation's name."""
        return self.front.requests

    def expire_cursors(self) -> None:
        """Every cursor given out so far is refused from now on."""
        self.epoch += 1

    def partial(self, field: str, *, row: int | None = None, times: int | None = 1, on: str = "") -> None:
        """The next answers lack `field`: of the data, or of one of its rows; an error says so."""

        def change(answer: dict[str, Any]) -> None:
            at, path = answer["data"], []
            if row is not None:
                top = next(iter(at))
                at, path = at[top]["nodes"][row], [top, "nodes", row]
            at[field] = None
            answer["errors"] = [
                problem("Internal server error", "internal error", "INTERNAL_SERVER_ERROR", [*path, field])
            ]

        self.faults.rewrite(change, times=times, on=on)

    def application(self) -> web.Application:
        """The program that serves this workspace."""
        return self.front.application([web.post("/graphql", self.answer)])

    async def answer(self, request: web.Request) -> web.Response:
        """Who asks, what it costs, whether it is understood, and only then what the data are."""
        if request.headers.get("Authorization") not in (self.token, f"Bearer {self.token}"):
            text = "Authentication required, not authenticated"
            return failed(401, problem(text, "authentication error", "AUTHENTICATION_ERROR"))
        if not self.asked.take(1):
            return self.refusal()
        try:
            call = msgspec.json.decode(await request.read(), type=Call)
            document = parse(call.query)
        except msgspec.MsgspecError:
            return failed(400, problem("The body is not a GraphQL request", "invalid input", "BAD_REQUEST"))
        except GraphQLSyntaxError as error:
            return failed(400, problem(error.message, "graphql error", "GRAPHQL_PARSE_FAILED"))
        invalid = validate(SCHEMA, document)
        if invalid:
            problems = [problem(e.message, "graphql error", "GRAPHQL_VALIDATION_FAILED") for e in invalid]
            return failed(400, *problems)
        variables = call.variables or {}
        points = cost_of(SCHEMA, document, variables)
        if points > LARGEST_QUERY:
            return failed(400, problem("Query too complex", "invalid input", "INPUT_ERROR"))
        if not self.points.take(points):
            return self.refusal()
        resolver = Resolver(self, self.epoch, self.rate_limit_status())
        result = execute_sync(
            SCHEMA,
            document,
            variable_values=variables,
            operation_name=call.operationName,
            field_resolver=resolver,
        )
        return answered(result, points)

    def refusal(self) -> web.Response:
        """Too many requests are refused with 400, not 429; only the code tells."""
        text = "Rate limit exceeded. Only 2500 requests are allowed per 1 hour."
        refused = failed(400, problem(text, "ratelimited", "RATELIMITED"))
        refused.headers["X-RateLimit-Endpoint-Requests-Limit"] = "100"
        refused.headers["X-RateLimit-Endpoint-Requests-Remaining"] = "0"
        refused.headers["X-RateLimit-Endpoint-Requests-Reset"] = str(self.asked.reset)
        refused.headers["X-RateLimit-Endpoint-Name"] = "graphql"
        return refused

    def limits(self, _: web.Request) -> dict[str, str]:
        """The headers on every answer; resets are milliseconds since 1970."""
        headers = {}
        for name, bucket in (("Requests", self.asked), ("Complexity", self.points)):
            headers[f"X-RateLimit-{name}-Limit"] = str(int(bucket.limit))
            headers[f"X-RateLimit-{name}-Remaining"] = str(bucket.remaining)
            headers[f"X-RateLimit-{name}-Reset"] = str(bucket.reset)
        return headers

    def rate_limit_status(self) -> dict[str, Any]:
        """The same as data."""
        limits = [
            {
                "type": kind,
                "allowedAmount": float(bucket.limit),
                "remainingAmount": float(bucket.remaining),
                "requestedAmount": 1.0,
                "period": 3_600_000.0,
                "reset": float(bucket.reset),
            }
            for kind, bucket in (("request", self.asked), ("complexity", self.points))
        ]
        return {"identifier": self.viewer.id, "kind": "apiKey", "limits": limits}


def problem(text: str, kind: str, code: str, path: list[str | int] | None = None) -> dict[str, Any]:
    """One entry of `errors` as the vendor writes it."""
    extensions = {
        "type": kind,
        "code": code,
        "userError": kind in ("invalid input", "authentication error", "ratelimited"),
        "userPresentableMessage": text,
    }
    return {"message": text, "extensions": extensions} | ({"path": path} if path is not None else {})


def failed(status: int, *problems: dict[str, Any]) -> web.Response:
    return json_response({"errors": list(problems)}, status)


def answered(result: ExecutionResult, points: int) -> web.Response:
    """Data, errors or both; a request that was understood is answered with 200."""
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [described(error) for error in result.errors]
    return json_response(answer, headers={"X-Complexity": str(points)})


def described(error: GraphQLError) -> dict[str, Any]:
    """An error of the execution: a refusal of ours as the vendor's, anything else as a bug of ours."""
    original = error.original_error
    path = list(error.path or [])
    if isinstance(original, LinearError):
        entry = problem(str(original), "invalid input", original.code, path)
        entry["extensions"]["userPresentableMessage"] = original.presentable
        return entry
    if original is not None and not isinstance(original, GraphQLError):
        raise original
    return problem(error.message, "graphql error", "BAD_USER_INPUT", path)
