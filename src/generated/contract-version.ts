/** The hash of the shapes in the upstream's contract; descriptions do not affect it. */
export const contractVersion = '6b6bd43ef697';
