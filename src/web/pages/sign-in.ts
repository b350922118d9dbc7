/** The program of the pages for signing in and signing up. */
import { SignInPageAtWork, type SignInData } from "../account/sign-in-page.ts";
import { openPage } from "../shared/page-data.ts";

new SignInPageAtWork(openPage<SignInData>()).start();
