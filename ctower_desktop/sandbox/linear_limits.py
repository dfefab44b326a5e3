"""What a GraphQL query costs at a stand-in Linear, and the leaky buckets it is paid from."""

import math
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from ctower_desktop.sandbox.front import Clock
from ctower_desktop.sandbox.linear_lists import PAGE

LARGEST_QUERY = 10_000
SCALAR, OBJECT = 0.1, 1.0


@dataclass
class Cost:
    """Counts points: 0.1 a scalar, 1 an object, times the page size of every connection."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]

    def of(self, selection: SelectionSetNode | None, parent: Any) -> float:
        total = 0.0
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                total += self._field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                total += self.of(node.selection_set, parent)
            elif isinstance(node, FragmentSpreadNode):
                total += self.of(self.fragments[node.name.value].selection_set, parent)
        return total

    def _field(self, node: FieldNode, parent: Any) -> float:
        if node.name.value.startswith("__") or not isinstance(parent, GraphQLObjectType):
            return 0.0
        kind = get_named_type(parent.fields[node.name.value].type)
        if is_leaf_type(kind):
            return SCALAR
        inner = self.of(node.selection_set, kind)
        if kind.name.endswith("Connection"):
            return OBJECT + inner * self._page_size(node)
        return OBJECT + inner

    def _page_size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    return int(self.variables.get(argument.value.name.value) or PAGE)
        return PAGE


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> int:
    """The points of the document's operations, rounded up."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    cost = Cost(schema, fragments, variables)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    roots = {"query": schema.query_type, "mutation": schema.mutation_type}
    points = sum(cost.of(each.selection_set, roots.get(each.operation.value)) for each in operations)
    return math.ceil(round(points, 6))  # tenths do not add up exactly


@dataclass
class Bucket:
    """A leaky bucket: `limit` an hour, refilled all the time."""

    clock: Clock
    limit: float
    level: float = 0.0
    at: float | None = None

    def take(self, amount: float) -> bool:
        """Takes it if it is there."""
        self._refill()
        if self.level < amount:
            return False
        self.level -= amount
        return True

    @property
    def remaining(self) -> int:
        self._refill()
        return int(self.level)

    @property
    def reset(self) -> int:
        """When it will be full again, in milliseconds since 1970."""
        self._refill()
        missing = (self.limit - self.level) / self.limit * 3600
        return int((self.clock().timestamp() + missing) * 1000)

    def _refill(self) -> None:
        now = self.clock().timestamp()
        if self.at is None:
            self.level = self.limit
        else:
            self.level = min(self.limit, self.level + max(0.0, now - self.at) / 3600 * self.limit)
        self.at = now
