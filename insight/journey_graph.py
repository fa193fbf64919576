"""A journey as a picture has it: its steps in words, and the ways between them, from the program that runs."""

from collections.abc import Iterator
from dataclasses import replace

from insight.graph_parts import Edge, GraphNode, Group, GroupKind, JourneyGraph, Way
from insight.graph_rules import entry_in_words, exit_in_words, reaction_in_words
from journey.language import Step, WrittenStep, one_of
from journey.program import Node, Program
from journey.steps.finish import Finish

ENTRY = "enter"
EXITS = "exit"
AT_EXIT = "on_exit"


def journey_graph(program: Program) -> JourneyGraph:
    """Draw up what a journey looks like. Works for any kind of step by what the step says of itself."""
    return _Drawing(program).graph()


class _Drawing:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._definition = program.definition
        self._addresses = {id(node.step): node.address for node in program.nodes.values()}
        self._nodes: dict[str, GraphNode] = {}
        self._edges: list[Edge] = []

    def graph(self) -> JourneyGraph:
        definition, goal = self._definition, self._definition.goal
        groups = [self._entry(), *self._exits(), *self._stages(), *self._reactions()]
        within = f" within {goal.within}" if goal and goal.within else ""
        return JourneyGraph(
            journey=definition.journey,
            title=definition.title,
            owner=definition.owner,
            version=self._program.version,
            goal=f"{goal.outcome}{within}" if goal else None,
            nodes=self._nodes,
            groups=tuple(groups),
            edges=tuple(self._edges),
        )

    # -- the groups

    def _entry(self) -> Group:
        words = tuple(entry_in_words(self._definition.enter))
        first = next(iter(self._program.stages.values()))
        begins = Way(words="", to=first)
        self._add(GraphNode(address=ENTRY, kind="enter", words=words, ways=(begins,)))
        self._edges.append(Edge(source=ENTRY, target=first))
        return self._group(ENTRY, "entry", "Who enters", (ENTRY,), (ENTRY,))

    def _exits(self) -> Iterator[Group]:
        addresses: list[str] = []
        ends: list[str] = []
        for index, rule in enumerate(self._definition.exit):
            address, end = f"{EXITS}/{index}", f"{EXITS}/{index}/outcome"
            leads = Way(words="", steps=(end,), to=end, goes_on=False)
            self._add(
                GraphNode(
                    address=address,
                    kind="exit",
                    words=tuple(exit_in_words(rule)),
                    ways=(leads,),
                ),
                GraphNode(
                    address=end,
                    kind="finish",
                    words=(f"finish: {rule.outcome}", *self._aim(rule.outcome)),
                    goal=self._is_goal(rule.outcome),
                ),
            )
            self._edges.append(Edge(source=address, target=end))
            addresses.append(address)
            ends.append(end)
        if addresses:
            title = "At once, wherever they stand"
            yield self._group(EXITS, "exits", title, tuple(addresses), (*addresses, *ends))

    def _stages(self) -> Iterator[Group]:
        for stage in self._definition.stages:
            steps, inside = self._block(stage.steps), list(self._steps(stage.steps))
            title = stage.title or stage.stage
            yield self._group(stage.stage, "stage", title, steps, tuple(inside), stage.feeling)

    def _reactions(self) -> Iterator[Group]:
        for index, rule in enumerate(self._definition.whenever):
            start = GraphNode(
                address=f"whenever/{index}", kind="whenever", words=tuple(reaction_in_words(rule))
            )
            yield self._aside(start, "reaction", "Whenever", rule.do)
        if self._definition.on_exit:
            words = ("when it ends otherwise than by its own finish",)
            start = GraphNode(address=AT_EXIT, kind="at_exit", words=words)
            yield self._aside(start, "ending", "At the end", self._definition.on_exit)

    def _aside(
        self, start: GraphNode, kind: GroupKind, title: str, steps: list[WrittenStep]
    ) -> Group:
        """Steps that stand in no stage, behind what sets them off."""
        block = self._block(steps)
        self._add(replace(start, ways=(Way(words="", to=block[0]),)))
        self._edges.append(Edge(source=start.address, target=block[0]))
        inside = (start.address, *self._steps(steps))
        return self._group(start.address, kind, title, (start.address, *block), inside)

    def _group(
        self,
        name: str,
        kind: GroupKind,
        title: str,
        steps: tuple[str, ...],
        inside: tuple[str, ...],
        feeling: str | None = None,
    ) -> Group:
        return Group(
            name=name, kind=kind, title=title, steps=steps, all_steps=inside, feeling=feeling
        )

    # -- the steps

    def _block(self, steps: list[WrittenStep]) -> tuple[str, ...]:
        return tuple(self._addresses[id(each.step)] for each in steps)

    def _steps(self, steps: list[WrittenStep]) -> Iterator[str]:
        """The addresses of these steps and of all inside them; each becomes a node with its ways."""
        for each in steps:
            node = self._program.nodes[self._addresses[id(each.step)]]
            self._add(self._drawn(node))
            yield node.address
            for _, _, inside in node.step.blocks():
                yield from self._steps(inside)

    def _drawn(self, node: Node) -> GraphNode:
        step = node.step
        outcome = step.outcome if isinstance(step, Finish) else None
        ways = tuple(_together(list(self._ways(node))))
        jumps = tuple(stage for stage in step.goes_to() if stage in self._program.stages)
        for way in ways:
            if way.to is not None:
                self._edges.append(Edge(source=node.address, target=way.to, words=way.words))
        for stage in jumps:
            first = self._program.stages[stage]
            self._edges.append(Edge(source=node.address, target=first, jump=True))
        return GraphNode(
            address=node.address,
            kind=step.kind,
            words=(*step.in_words(), *(self._aim(outcome) if outcome else ())),
            ways=ways,
            goes_to=jumps,
            goal=outcome is not None and self._is_goal(outcome),
        )

    def _ways(self, node: Node) -> Iterator[Way]:
        step = node.step
        falls: dict[str, bool] = {}
        for block, _, inside in step.blocks():
            ends = step.ends(block)
            behind = {"next": node.next, "nothing": None, "here": node.address}[ends]
            falls[block] = self._falls(inside)
            if ends == "nothing" and not inside:
                continue  # a thread of its own with nothing to do
            yield Way(
                words=step.way_in_words(block),
                steps=self._block(inside),
                to=node.blocks[block] or behind,
                ends=ends,
                goes_on=falls[block],
                noted=_noted(step, block),
            )
        # What runs in a thread of its own, or in rounds, never leads on by its last step.
        apart = {name: falls[name] and step.ends(name) != "next" for name in falls}
        if step.falls_through(apart):
            yield Way(
                words=step.way_in_words(None),
                to=node.next,
                by_itself=True,
                noted=_noted(step, None),
            )

    def _falls(self, steps: list[WrittenStep]) -> bool:
        """Whether a run may go on behind these steps: it may unless the last one is an end."""
        return not steps or _falls_through(steps[-1].step)

    def _add(self, *nodes: GraphNode) -> None:
        self._nodes.update({node.address: node for node in nodes})

    def _is_goal(self, outcome: str) -> bool:
        goal = self._definition.goal
        return goal is not None and goal.outcome == outcome

    def _aim(self, outcome: str) -> tuple[str, ...]:
        goal = self._definition.goal
        if goal is None or goal.outcome != outcome:
            return ()
        return (f"the goal, within {goal.within}" if goal.within else "the goal",)


def _together(ways: list[Way]) -> Iterator[Way]:
    """Ways that lead to the same place with nothing to do on them become one, where the first of them was."""
    told: dict[tuple[object, ...], list[Way]] = {}
    for way in ways:
        alike = (way.to, way.ends, way.goes_on) if not way.steps else (id(way),)
        told.setdefault(alike, []).append(way)
    for alike in told.values():
        whatever = len(told) == 1 and any(way.by_itself for way in alike)
        words = [] if whatever else [way.words for way in alike]
        yield replace(
            alike[0],
            words=one_of(words) if all(words) else "",
            noted=tuple(each for way in alike for each in way.noted),
        )


def _noted(step: Step, block: str | None) -> tuple[tuple[str, str], ...]:
    noted = step.noted(block)
    return (noted,) if noted is not None else ()


def _falls_through(step: Step) -> bool:
    return step.falls_through(
        {name: not inside or _falls_through(inside[-1].step) for name, _, inside in step.blocks()}
    )
