// Where the items of a plan are drawn. Loaded when the first plan is shown: most visits need none.
import { Graph, layout } from '@dagrejs/dagre';

/** Where an item is, and what it needs. */
export interface Box {
  id: string;
  needs: string[];
}

/** A drawing: the middles of the boxes, the lines between them, and its size. */
export interface Drawing {
  at: Map<string, { x: number; y: number }>;
  lines: { id: string; path: string }[];
  width: number;
  height: number;
}

export function draw(boxes: Box[], width: number, height: number): Drawing {
  const graph = new Graph().setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 44, marginx: 3, marginy: 3 }).setDefaultEdgeLabel(() => ({}));
  const known = new Set(boxes.map((box) => box.id));
  for (const { id } of boxes) graph.setNode(id, { width, height });
  for (const { id, needs } of boxes) for (const need of needs) if (known.has(need)) graph.setEdge(need, id);
  layout(graph);
  const at = new Map(boxes.map(({ id }) => [id, { x: graph.node(id).x ?? 0, y: graph.node(id).y ?? 0 }]));
  const lines = graph.edges().map((edge) => ({ id: `${edge.v} ${edge.w}`, path: curve(graph.edge(edge).points ?? []) }));
  const size = graph.graph();
  return { at, lines, width: size.width ?? 0, height: size.height ?? 0 };
}

function curve([first, ...rest]: { x: number; y: number }[]): string {
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  let from = first;
  for (const to of rest) {
    const middle = (from.x + to.x) / 2;
    path += `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
    from = to;
  }
  return path;
}
