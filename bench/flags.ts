/** What the command line says to a bench on engines. */
export type EngineFlags = {
  readonly engine: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly crowd: number;
  readonly quick: boolean;
  readonly readme: boolean;
  readonly say: (text: string) => void;
};
