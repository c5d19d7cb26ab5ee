/** Of the shapes that the upstream's contract describes; its words do not count. */
export const contractVersion = '6b6bd43ef697';
