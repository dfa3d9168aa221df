/** A nominal type over a structural one, so that one string cannot be passed where another is meant. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
