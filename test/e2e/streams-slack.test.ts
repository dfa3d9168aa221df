import { describeStreamsOn } from "./streams.ts";

describeStreamsOn("slack");
