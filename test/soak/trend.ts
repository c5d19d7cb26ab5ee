export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  readonly mean: number;
  /** The difference between the end and the start of the regression line. */
  readonly rise: number;
}

/** The regression line, by least squares. */
export function toTrend(points: readonly Point[]): Trend {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first.x === last.x)
    throw new Error('A trend requires points at two moments or more.');
  const meanOf = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = meanOf(points.map((point) => point.x));
  const mean = meanOf(points.map((point) => point.y));
  const covariance = meanOf(points.map((point) => (point.x - x) * (point.y - mean)));
  const variance = meanOf(points.map((point) => (point.x - x) ** 2));
  return { mean, rise: (covariance / variance) * (last.x - first.x) };
}
