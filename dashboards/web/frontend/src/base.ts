// What every page for staff has: the theme button, signing in and out, and the banner of the first login.
import { wireSession } from "./lib/session";
import { wireThemeButton } from "./lib/theme";

wireThemeButton();
wireSession();
