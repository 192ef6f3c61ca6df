// What every page for staff has: the menu, the theme button, signing in and out, and the banner of the first login.
import { wireBadge } from "./frame/badge";
import { wireCommune } from "./frame/commune";
import { wireFields } from "./lib/fields";
import { wireMenu } from "./frame/menu";
import { wireDates } from "./lib/said_dates";
import { wireSession } from "./lib/session";
import { wireThemeButton } from "./lib/theme";

wireMenu();
wireCommune();
wireBadge();
wireFields();
wireDates();
wireThemeButton();
wireSession();
