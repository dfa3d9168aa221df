/** Something that is asked for from outside, maybe before there is anybody to do it: then it is done by whoever comes first. */
export class KeptRequest {
  #answer: (() => void) | null = null;
  #isAsked = false;

  readonly ask = (): void => {
    if (this.#answer === null) this.#isAsked = true;
    else this.#answer();
  };

  readonly answerBy = (answer: () => void): void => {
    this.#answer = answer;
    if (this.#isAsked) answer();
  };
}
