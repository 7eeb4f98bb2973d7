// The types that check-dashboards.sh holds the dashboards to. Grafana's schema leaves a panel's options and the queries
// open, since plugins bring their own; here each kind of panel in use gets the types of its plugin.
import type { AnnotationQuery, Dashboard, FieldConfig, Panel, RowPanel, VariableModel } from "@grafana/schema";
import type * as StateTimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON has the values of an enum, not its members.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}` ? N : never
    : T extends (infer U)[]
      ? Plain<U>[]
      : T extends object
        ? { [K in keyof T]: Plain<T[K]> }
        : T;

// A query to Prometheus, as its data source plugin reads it.
interface Query {
  refId: string;
  expr: string;
  legendFormat: string;
  instant?: boolean;
  format?: "time_series" | "table" | "heatmap";
}

// Without the index signatures that would let any name pass.
type Closed<T> = { [K in keyof T as string extends K ? never : K]: T[K] };

type Of<Kind extends string, Options, Custom> = Omit<Closed<Panel>, "type" | "options" | "fieldConfig" | "targets"> & {
  type: Kind;
  options: Options;
  fieldConfig: {
    defaults: Omit<Closed<FieldConfig>, "custom"> & { custom?: Partial<Custom> };
    overrides: { matcher: { id: "byName" | "byFrameRefID"; options: string }; properties: { id: string; value: unknown }[] }[];
  };
  targets: Query[];
};

type HeldPanel =
  | Of<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig>
  | Of<"stat", Stat.Options, never>
  | Of<"table", Table.Options, Table.FieldConfig>
  | Of<"state-timeline", StateTimeline.Options, StateTimeline.FieldConfig>
  | (Omit<Closed<RowPanel>, "panels" | "type"> & { type: "row"; panels: HeldPanel[] });

// What the Prometheus plugin adds to an annotation.
type HeldAnnotation = Closed<AnnotationQuery> & { expr: string; titleFormat: string; textFormat: string; tagKeys: string };

export type HeldDashboard = Plain<
  Omit<Closed<Dashboard>, "panels" | "templating" | "annotations"> & {
    uid: string;
    panels: HeldPanel[];
    templating: { list: Closed<VariableModel>[] };
    annotations: { list: HeldAnnotation[] };
  }
>;
