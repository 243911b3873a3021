// A worker that trains the perceptron. In: { digits, settings } once, then "pause" or "goOn". Out: reports of training.
import { inSlices, training } from "./perceptron-training.js";

let run = null;
onmessage = ({ data }) => {
  if (data.digits) run = inSlices(training(data.digits, data.settings), 50, setTimeout, (report) => postMessage(report));
  else run[data]();
};
