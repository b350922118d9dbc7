/** How a server's setting is changed: at once where that is possible, and in its file, so that it stays so after a restart. */

const inMyCnf = (name: string, value: string | number) => `in my.cnf under [mysqld]: ${name} = ${value}`;
export const setGlobal = (name: string, value: string | number): string => `SET GLOBAL ${name} = ${value}; and ${inMyCnf(name, value)}`;
export const inMyCnfOnly = (name: string, value: string | number): string => `Set ${inMyCnf(name, value)}; then restart the server`;

export const alterSystem = (name: string, value: string | number): string =>
  `ALTER SYSTEM SET ${name} = '${value}'; SELECT pg_reload_conf(); or in postgresql.conf: ${name} = ${value}`;
export const alterSystemAndRestart = (name: string, value: string | number): string =>
  `ALTER SYSTEM SET ${name} = '${value}', or in postgresql.conf: ${name} = ${value}; then restart the server`;
