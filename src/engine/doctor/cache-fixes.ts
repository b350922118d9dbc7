/** How a Redis is mended, in the words of redis-cli: at once, and in its file, so that it stays so after a restart. */

export const configSet = (name: string, value: string | number): string =>
  `CONFIG SET ${name} ${value}; CONFIG REWRITE; or in redis.conf: ${name} ${value}`;

export const inRedisConfOnly = (name: string, value: string | number): string => `In redis.conf: ${name} ${value}; then restart the server`;

/** Gives rules to our user. */
export const aclSetUser = (user: string, rules: readonly string[]): string =>
  `ACL SETUSER ${user} ${rules.join(" ")}; ACL SAVE, or without a file of users: CONFIG REWRITE`;
