import { expect, test } from "bun:test";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { usageMessage } from "./usage-message.ts";

/** What commander itself says, so that a new version of it with other words turns this red. */
function saidOf(...argv: string[]): string {
  let said = "";
  const outputError = (text: string) => void (said += usageMessage(text));
  const program = new Command("doorbuster").exitOverride().showSuggestionAfterError().configureOutput({ outputError });
  const number = () => {
    throw new InvalidArgumentError("It must be an integer from 1 to 9.");
  };
  program
    .command("rehearse")
    .option("--buyers <number>", "", number)
    .addOption(new Option("--curve <name>", "").choices(["spike", "ramp"]))
    .option("--stock <number>");
  program.command("seed");
  program.command("send");
  program.command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]));
  expect(() => program.parse(argv, { from: "user" })).toThrow();
  return said.trimEnd();
}

test.each([
  [["rehaerse"], 'doorbuster: unknown command "rehaerse"; did you mean "rehearse"?'],
  [["sed"], 'doorbuster: unknown command "sed"; did you mean "seed" or "send"?'],
  [["something-else"], 'doorbuster: unknown command "something-else"'],
  [["rehearse", "--buyer", "1"], 'doorbuster: unknown option "--buyer"; did you mean "--buyers"?'],
  [["rehearse", "--zzzzzzzz"], 'doorbuster: unknown option "--zzzzzzzz"'],
  [["rehearse", "--curve", "spkie"], 'doorbuster: option "--curve": expected one of spike, ramp, got "spkie"; did you mean "spike"?'],
  [["rehearse", "--curve", "flat-line"], 'doorbuster: option "--curve": expected one of spike, ramp, got "flat-line"'],
  [["rehearse", "--buyers", "x"], 'doorbuster: option "--buyers": expected an integer from 1 to 9, got "x"'],
  [["rehearse", "--stock"], 'doorbuster: option "--stock <number>" argument missing'],
  [["completion", "bsh"], 'doorbuster: argument "shell": expected one of bash, zsh, fish, got "bsh"; did you mean "bash"?'],
  [["completion"], 'doorbuster: missing required argument "shell"'],
])("[H7] %p is answered by what was meant", (argv, said) => {
  expect(saidOf(...argv)).toBe(said);
});
