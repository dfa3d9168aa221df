/** What may follow the words of a command. */
export interface Place {
  /** `dead list`; empty: right behind the program's name. */
  readonly path: string;
  readonly commands: readonly Offer[];
  readonly options: readonly OfferedOption[];
  /** Of its arguments, where those are a list. */
  readonly words: readonly string[];
}

interface Offer {
  readonly name: string;
  readonly about: string;
}

interface OfferedOption extends Offer {
  /** `-t`; null: it has none. */
  readonly short: string | null;
  /** Null: it takes none. Empty: anything. */
  readonly values: readonly string[] | null;
}

/** In single quotes, as all three read it. */
type Quote = (text: string) => string;
const posix: Quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const fish: Quote = (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const namesOf = (options: readonly OfferedOption[]) =>
  options.flatMap(({ name, short }) => (short === null ? [name] : [name, short]));
const firstLine = (text: string) => text.split("\n", 1)[0] ?? "";

/** An option with what it takes, wherever it stands. */
function valued(places: readonly Place[]): readonly (readonly [string, readonly string[]])[] {
  return places.flatMap(({ path, options }) =>
    options.flatMap((option) =>
      option.values === null
        ? []
        : namesOf([option]).map((name) => [`${path} ${name}`.trim(), option.values ?? []] as const),
    ),
  );
}

/**
 * Only a group has commands, and no options of its own that take anything: so each word that names a command there is one.
 * Bash splits at `=`, and what is behind it is another word.
 */
export function bashScript(places: readonly Place[]): string {
  const at = places.map(({ path, commands, options, words }) => {
    const names = posix(commands.map(({ name }) => name).join(" "));
    return `    ${posix(path)}) commands=${names} options=${posix(namesOf(options).join(" "))} words=${posix(words.join(" "))} ;;\n`;
  });
  const values = valued(places).map(
    ([option, offered]) => `    ${posix(option)}) values=${posix(offered.join(" "))} ;;\n`,
  );
  return `# bash completion of parley: eval "$(parley completion bash)"
# shellcheck shell=bash disable=SC2034,SC2207 # bash 3.2 of macOS has no mapfile; no word has a space
_parley_at() {
  commands='' options='' words=''
  case "$1" in
${at.join("")}  esac
}
# Fails for what takes nothing; empty values: anything.
_parley_values() {
  values=''
  case "$1" in
${values.join("")}    *) return 1 ;;
  esac
}
_parley() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' i
  local commands options words values
  COMPREPLY=()
  _parley_at ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ -n \${COMP_WORDS[i]} && " $commands " == *" \${COMP_WORDS[i]} "* ]] || continue
    path=\${path:+$path }\${COMP_WORDS[i]}
    _parley_at "$path"
  done
  [[ $cur == '=' ]] && cur=''
  [[ $prev == '=' ]] && ((COMP_CWORD > 1)) && prev=\${COMP_WORDS[COMP_CWORD-2]}
  if [[ $prev == -* ]] && _parley_values "\${path:+$path }$prev"; then
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands $words" -- "$cur"))
  fi
}
complete -o bashdefault -o default -F _parley parley
`;
}

export function zshScript(places: readonly Place[]): string {
  // Up to the first colon is what is inserted.
  const described = ({ name, about }: Offer) => posix(`${name.replaceAll(":", "\\:")}:${firstLine(about)}`);
  const lettered = (options: readonly OfferedOption[]) =>
    options.flatMap((option) =>
      option.short === null ? [option] : [option, { ...option, name: option.short }],
    );
  const at = places.map(
    ({ path, commands, options, words }) =>
      `    ${posix(path)})\n` +
      `      below=(${commands.map(described).join(" ")})\n` +
      `      flags=(${lettered(options).map(described).join(" ")})\n` +
      `      offered=(${words.map(posix).join(" ")}) ;;\n`,
  );
  const values = valued(places).map(
    ([option, offered]) => `    ${posix(option)}) values=(${offered.map(posix).join(" ")}) ;;\n`,
  );
  return `#compdef parley
# zsh completion of parley: eval "$(parley completion zsh)", behind compinit
_parley_at() {
  below=() flags=() offered=()
  case "$1" in
${at.join("")}  esac
}
_parley_values() {
  values=()
  case "$1" in
${values.join("")}    *) return 1 ;;
  esac
}
_parley() {
  local -a below flags offered values
  local at='' before=\${words[CURRENT-1]} word
  _parley_at ''
  for word in \${words[2,CURRENT-1]}; do
    (( \${below[(I)\${(b)word}:*]} )) || continue
    at=\${at:+$at }$word
    _parley_at $at
  done
  if [[ $before == -* ]] && _parley_values "\${at:+$at }$before"; then
    if (( $#values )); then compadd -a values; else _files; fi
  elif [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option flags
  elif (( $#below )); then
    _describe command below
  elif (( $#offered )); then
    compadd -a offered
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _parley ]]; then _parley "$@"; else compdef _parley parley; fi
`;
}

export function fishScript(places: readonly Place[]): string {
  const paths = places.flatMap(({ path }) => (path === "" ? [] : [fish(path)]));
  const lines = places.flatMap(({ path, commands, options, words }) => {
    const here = `complete -c parley -n ${fish(`__parley_at ${path}`.trim())}`;
    return [
      ...commands.map(({ name, about }) => `${here} -f -a ${fish(name)} -d ${fish(firstLine(about))}`),
      ...(words.length === 0 ? [] : [`${here} -f -a ${fish(words.join(" "))}`]),
      ...options.map(({ name, short, about, values }) => {
        const letter = short === null ? "" : ` -s ${short.slice(1)}`;
        const takes = values === null ? "" : values.length === 0 ? " -r" : ` -x -a ${fish(values.join(" "))}`;
        return `${here}${letter} -l ${name.slice(2)}${takes} -d ${fish(firstLine(about))}`;
      }),
    ];
  });
  return `# fish completion of parley: parley completion fish > ~/.config/fish/completions/parley.fish
function __parley_at
    set -l paths ${paths.join(" ")}
    set -l at
    for word in (commandline -opc)[2..]
        set -l deeper $at $word
        contains -- "$deeper" $paths; and set at $deeper
    end
    test "$at" = "$argv"
end
${lines.join("\n")}
`;
}
