/**
 * Credentials as `docker login` keeps them for a user: in `~/.docker/config.json`, or with the helper program that it
 * names. Commands read them and hand them to the daemon with each request; the daemon itself never looks.
 */
export { credentialsFor } from "./docker-config.js";
