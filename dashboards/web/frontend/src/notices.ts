// The page of notices: channels, routes, what was sent, webhooks.
import "./base";
import { ChannelList } from "./notices/channels";
import { RouteList } from "./notices/routes";
import { SentList } from "./notices/sent";
import { WebhookList } from "./notices/webhooks";

const sent = new SentList();
const routes = new RouteList();
const channels = new ChannelList((notice) => sent.follow(notice), (found) => routes.offer(found));
const webhooks = new WebhookList((notice) => sent.follow(notice));

void Promise.all([channels.read(), sent.read(), webhooks.read()]);
