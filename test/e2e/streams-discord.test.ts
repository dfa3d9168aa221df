import { describeStreamsOn } from "./streams.ts";

describeStreamsOn("discord");
