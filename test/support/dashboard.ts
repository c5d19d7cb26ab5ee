import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const DEPLOY = join(import.meta.dirname, '../../deploy');

/** A PromQL expression, and the panel, variable or alert that contains it. */
export interface PromQLExpression {
  readonly where: string;
  readonly expr: string;
  /** The legend, whose labels the result must have. */
  readonly legend: string;
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { expr: string; legendFormat: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

export function readDashboard(): PromQLExpression[] {
  const text = readFileSync(join(DEPLOY, 'grafana/dashboards/revox-gateway.json'), 'utf8');
  const { panels, templating } = JSON.parse(text) as Dashboard;
  const variables = templating.list.flatMap(({ name, definition }) => {
    const [, expr, label] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? '') ?? [];
    return expr === undefined ? [] : [{ where: `$${name}`, expr, legend: `{{${label}}}` }];
  });
  return [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat }) => ({ where: title, expr, legend: legendFormat })),
    ),
    ...variables,
  ];
}

export function readAlerts(): PromQLExpression[] {
  const { groups } = parse(readFileSync(join(DEPLOY, 'prometheus/alerts.yaml'), 'utf8')) as Rules;
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr }) => ({ where: alert, expr, legend: '' })),
  );
}

/** A use of a metric, with the labels that the expression needs. */
export interface MetricUse {
  readonly metric: string;
  readonly labels: readonly string[];
  /** The matchers in braces. */
  readonly matchers: readonly Matcher[];
}

/** `{label=~"a|b"}`, with its values split. */
export interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}

/**
 * The metrics that an expression uses, with their labels: a label in braces belongs to its metric,
 * one of `by` or of the legend to all metrics.
 */
export function usesIn({ expr, legend }: PromQLExpression): MetricUse[] {
  const shared = [
    ...Array.from(expr.matchAll(/\bby \(([^)]*)\)/g), ([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    ).flat(),
    ...Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, name = '']) => name),
  ];
  const bare = expr.replace(/\bby \([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '');
  return Array.from(
    bare.matchAll(/\b([a-z]\w*_\w+)(?:\{([^}]*)\})?(?!\w*\()/g),
    ([, metric = '', braces = '']) => {
      const matchers = parseMatchers(braces);
      return { metric, labels: [...matchers.map(({ label }) => label), ...shared], matchers };
    },
  ).filter(({ metric }) => !FUNCTIONS.has(metric));
}

function parseMatchers(braces: string): Matcher[] {
  return Array.from(
    braces.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g),
    ([, label = '', operator = '', text = '']) => ({
      label,
      values: operator.endsWith('~') ? text.split('|') : [text],
    }),
  );
}

const FUNCTIONS = new Set(['histogram_quantile', 'label_replace', 'count_values']);
