/**
 * What a password must be: long, and not one that guessers try first. Nothing else is asked of it, for rules about digits
 * and signs make people choose "Password2024!" (NIST SP 800-63B).
 */
import { usernameKeyOf } from "./account.ts";
import type { DraftProblem } from "./sale.ts";

export const passwordLengthMin = 12;
export const passwordLengthMax = 128;

/** The same password whatever keyboard wrote it. */
export const normalizedPassword = (password: string): string => password.normalize("NFC");

export function problemOfPassword(password: string, username: string, field = "password"): DraftProblem | undefined {
  const { length } = password.length > passwordLengthMax * 4 ? password : Array.from(normalizedPassword(password));
  if (length < passwordLengthMin) return { field, problem: `must have at least ${passwordLengthMin} characters` };
  if (length > passwordLengthMax) return { field, problem: `must have at most ${passwordLengthMax} characters` };
  const folded = usernameKeyOf(password);
  const name = usernameKeyOf(username);
  if (name.length >= nameLengthMin && folded.includes(name)) return { field, problem: "must not contain the username" };
  if (isGuessedFirst(folded)) return { field, problem: "is one of the passwords that are guessed first: choose another" };
  return undefined;
}

/** A shorter name stands in many a good password by chance. */
const nameLengthMin = 4;

/** Whether it is a pattern, or common words in a common disguise. `folded`: in lower case. */
export function isGuessedFirst(folded: string): boolean {
  if (isRepetition(folded) || isSequence(folded) || common.has(folded)) return true;
  // "p4ssw0rd2024!" is "password" to whoever guesses.
  const core = folded.replace(/^[^a-z]+/, "").replace(/[^a-z]+$/, "");
  if (folded.length - core.length > decorationMax) return false;
  const plain = core.replace(/[013457@$!]/g, (sign) => disguises[sign] ?? sign);
  return [core, plain].some((text) => isOfStems(text.replace(/[^a-z]/g, "")));
}

/** More digits and signs than that around a word are worth something by themselves. */
const decorationMax = 8;
const disguises: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/** At most four characters over and over. */
function isRepetition(text: string): boolean {
  for (let unit = 1; unit <= 4; unit++) {
    let at = unit;
    while (at < text.length && text[at] === text[at - unit]) at++;
    if (at >= text.length) return true;
  }
  return false;
}

const rows = [
  "1234567890",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
  "qazwsxedcrfvtgbyhnujm",
  "azertyuiopqsdfghjklm",
];
const runs = rows.flatMap((row) => [row, reversed(row)]).map((row) => row.repeat(3));

/** A run along a keyboard or the alphabet, either way. */
const isSequence = (text: string): boolean => runs.some((run) => run.includes(text));

function reversed(text: string): string {
  return Array.from(text).toReversed().join("");
}

/** Whether it is nothing but common words in a row: "iloveyoupassword". */
function isOfStems(letters: string): boolean {
  const ends = new Set([0]);
  for (let from = 0; from < letters.length && from < passwordLengthMax; from++) {
    if (!ends.has(from)) continue;
    for (let length = stemLengthMin; length <= stemLengthMax && from + length <= letters.length; length++)
      if (stems.has(letters.slice(from, from + length))) ends.add(from + length);
  }
  return letters.length > 0 && ends.has(letters.length);
}

// The heads of the lists of breached passwords, as words: with digits and signs around them they make up most of what is
// long enough there.
const stems = new Set(
  (
    "password passwort passwords passw passwd pass motdepasse contrasena senha parola wachtwoord haslo mima woaini woaiwojia " +
    "admin administrator root superuser user username guest login welcome letmein trustno changeme secret default master access " +
    "qwerty qwertz azerty qwertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qweasd qweasdzxc iloveyou ilove iloveu loveyou " +
    "lovely love monkey dragon football baseball basketball soccer hockey superman batman spiderman pokemon starwars matrix " +
    "sunshine princess shadow michael jordan jessica jennifer ashley daniel charlie thomas hunter freedom whatever computer " +
    "internet samsung google facebook linkedin youtube microsoft windows apple iphone android dropbox adobe killer ninja " +
    "mustang corvette ferrari mercedes porsche harley summer winter spring autumn monday friday january december chocolate " +
    "cookie banana cheese pepper flower butterfly rainbow angel jesus christ blessed hello hallo bonjour abc abcd abcdef test " +
    "testing tester demo example sample temp temporary oracle mysql cisco server database system manager operator doorbuster " +
    "correcthorsebatterystaple correct horse battery staple openn sesame opensesame"
  ).split(" "),
);
const stemLengthMin = 3;
const stemLengthMax = 26;

const common = new Set(
  (
    "1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde3 zaq1xsw2cde3 q1w2e3r4t5y6 q1w2e3r4t5y6u7 " +
    "qwerty123456 123456qwerty 1234qwerasdf qwer1234asdf asdf1234qwer a1b2c3d4e5f6 a1b2c3d4e5f6g7 abc123abc123 aa12345678910 " +
    "123456789abc 123456789abcd 1234567890qwe 1234567890qwerty 0987654321qwe 123123123123 112233445566 111222333444 101112131415 " +
    "147258369147 159357159357 789456123000 123654789987 987654321abc 123qweasdzxc qwe123qwe123 asd123asd123 5201314520131 " +
    "woaini1314520 woaini520131 a123456789a123 qq1234567890 147896325874 789456123789 369258147000 31415926535897 3141592653589"
  ).split(" "),
);
