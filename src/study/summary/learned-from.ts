/** What of the product is in sample, where a study is the one that it was learned from. */

/** The study from which `rescale --auto` has its default, and `diagnose` its limits. */
export const learnedFrom = 'calibration';
