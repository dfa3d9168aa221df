/** First arguments of programs that AOF has tools for: those that only look, and those that change something. */
interface Verbs {
  readonly read: readonly string[];
  readonly change: readonly string[];
}
const words = (text: string) => text.split(" ");
/** What can be made to write a file by an option (`git log --output`) is no reading. */
export const PROGRAMS: Readonly<Record<string, Verbs>> = {
  kubectl: {
    read: words("get describe logs explain top version api-resources api-versions cluster-info events"),
    change: words(
      "apply create delete edit patch replace scale autoscale rollout set label annotate expose run exec cp cordon uncordon drain taint wait diff",
    ),
  },
  helm: {
    read: words("list status get history show search version"),
    change: words("install upgrade uninstall rollback repo dependency test template lint"),
  },
  docker: {
    read: words("ps images logs inspect stats top version info port history diff"),
    change: words(
      "run exec start stop restart kill rm rmi build pull push tag create pause unpause cp compose network volume system",
    ),
  },
  git: {
    read: words("status blame ls-files rev-parse describe"),
    change: words(
      "log diff show add commit push pull fetch clone checkout switch branch merge rebase reset restore tag stash",
    ),
  },
  terraform: {
    read: words("show output version validate providers"),
    change: words("init plan apply destroy import state refresh taint untaint workspace fmt"),
  },
};

/** Tools of AOF that are no programs. */
export const NO_PROGRAMS: ReadonlySet<string> = new Set(
  words(
    "shell bash sh zsh http https web fetch browser search websearch calculator filesystem python node sql exec",
  ),
);
