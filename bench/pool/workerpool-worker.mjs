import workerpool from 'workerpool';
import { lengthOf, nothing } from './tasks.mjs';

workerpool.worker({ nothing, lengthOf });
